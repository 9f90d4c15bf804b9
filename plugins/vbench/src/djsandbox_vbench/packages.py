"""What an environment lacks that the dimensions need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from djsandbox import Finding
from djsandbox.errors import ComponentError

from djsandbox_vbench.config import VBenchConfig
from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.installed import folder_of, lacks


def check_packages(environment: Path, dimensions: Sequence[str]) -> None:
    """ComponentError where the environment lacks a package that the dimensions need."""
    for finding in _missing_packages(environment, dimensions):
        raise ComponentError(finding.message, fix=finding.fix)


def environment_findings(config: VBenchConfig) -> Iterator[Finding]:
    """What an environment of the user's own lacks, where the config names its folder."""
    path = config.env_params.get("path") if config.env_manager == "existing" else None
    if isinstance(path, str):
        yield from _missing_packages(folder_of(path), config.dimension_list)


def _missing_packages(environment: Path, dimensions: Sequence[str]) -> Iterator[Finding]:
    if lacks(environment, "vbench"):
        fix = "pip install vbench==0.1.5 there"
        yield Finding(("env_params", "path"), f"vbench is not installed in {environment}", fix=fix)
    needing = [name for name in dimensions if DIMENSIONS[name].needs_detectron2]
    if needing and lacks(environment, "detectron2"):
        yield Finding(
            ("dimension_list", dimensions.index(needing[0])),
            f"{', '.join(needing)}: VBench needs detectron2 for that, which is not installed in {environment}",
            fix="install it there (pip install --no-build-isolation "
            "'detectron2 @ git+https://github.com/facebookresearch/detectron2.git', with torch and nvcc), let djsandbox make "
            "an environment (no 'env_manager: existing'), or leave these dimensions out",
        )
