"""The environment that videos are decoded and detectors are run in."""

from __future__ import annotations

from djsandbox import EnvRecipe

NAME = "inception"

INCEPTION = EnvRecipe(
    NAME,
    python="3.11",
    managers=("uv", "virtualenv", "venv", "conda", "mamba", "micromamba", "existing"),
    requirements=("torch>=2.4,<2.14", "av>=14,<19", "numpy>=1.26,<3"),
    check=("python", "-c", "import av, numpy, torch"),
)
"""torch for the detectors (which must still load TorchScript), PyAV for the videos, numpy for the metrics."""
