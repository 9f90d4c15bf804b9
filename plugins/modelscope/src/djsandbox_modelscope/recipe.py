"""The environment that ModelScope runs in."""

from __future__ import annotations

from djsandbox import EnvRecipe

_TORCH = "torch==2.13.0"

MODELSCOPE = EnvRecipe(
    "modelscope",
    python="3.11",
    managers=("uv", "virtualenv", "venv", "conda", "mamba", "micromamba", "existing"),
    requirements=(
        _TORCH,
        "modelscope[framework]==1.40.2",
        "transformers>=4.57,<5",  # the next one has lost what ModelScope's own models import
        "accelerate>=1.10,<2",
        "scikit-learn>=1.6,<2",  # the metrics of text classification
        "tensorboard>=2.20,<3",  # imported by its trainers
    ),
    constraints=(_TORCH,),
    check=(
        "python",
        "-c",
        "from modelscope.trainers import build_trainer; from modelscope.pipelines import pipeline; import sklearn",
    ),
)
"""ModelScope 1.40.2 with its trainers and pipelines; text models need nothing else."""
