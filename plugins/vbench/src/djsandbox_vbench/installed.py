"""What is installed in an environment, told from its files: nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_PLACES = ("lib/python3*/site-packages", "lib/python3*/dist-packages", "lib64/python3*/site-packages")
PROMPT_LIST = "VBench_full_info.json"


def prompt_list(environment: Path) -> Path | None:
    """The prompt list of the `vbench` that is installed in `environment`; None where it is not found there."""
    return next(_found(environment, f"vbench/{PROMPT_LIST}"), None)


def has_vbench(environment: Path) -> bool:
    """Whether `vbench` is there, also as an editable install."""
    return any(_found(environment, "vbench/launch/evaluate.py")) or any(_found(environment, "*vbench*"))


def has_detectron2(environment: Path) -> bool:
    """Whether `detectron2` is there, also as an editable install."""
    return any(_found(environment, "*detectron2*"))


def folder_of(path: str) -> Path:
    """The folder of an environment that is named by its folder or its interpreter."""
    given = Path(path).expanduser().absolute()
    return given.parent.parent if given.is_file() else given


def _found(environment: Path, pattern: str) -> Iterator[Path]:
    for place in _PLACES:
        yield from sorted(environment.glob(f"{place}/{pattern}"))
