"""What is installed in an environment, told from its files: nothing of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_PLACES = ("lib/python3*/site-packages", "lib/python3*/dist-packages", "lib64/python3*/site-packages")
_OPEN = re.compile(r"include-system-site-packages\s*=\s*true", re.IGNORECASE)
"""A virtual environment that also sees what is installed outside of it."""

PROMPT_LIST = "VBench_full_info.json"


def prompt_list(environment: Path) -> Path | None:
    """The prompt list of the `vbench` that is installed in `environment`; None where it is not found there."""
    return next(_found(environment, f"vbench/{PROMPT_LIST}"), None)


def lacks(environment: Path, package: str) -> bool:
    """Whether `package` is not there, not even as an editable install. False also where files alone do not tell."""
    configuration = environment / "pyvenv.cfg"
    if configuration.is_file() and _OPEN.search(configuration.read_text(encoding="utf-8", errors="replace")):
        return False
    return any(_found(environment, "")) and not any(_found(environment, f"*{package}*"))


def folder_of(path: str) -> Path:
    """The folder of an environment that is named by its folder or its interpreter."""
    given = Path(path).expanduser().absolute()
    return given.parent.parent if given.is_file() else given


def _found(environment: Path, pattern: str) -> Iterator[Path]:
    for place in _PLACES:
        yield from sorted(environment.glob(f"{place}/{pattern}" if pattern else place))
