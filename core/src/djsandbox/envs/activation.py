"""What activating an environment sets, without a shell to do it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def activated(prefix: Path) -> dict[str, str]:
    """The variables of an active virtual environment at `prefix`."""
    return {"VIRTUAL_ENV": str(prefix), "PATH": path_with(prefix)}


def activated_conda(prefix: Path, name: str) -> dict[str, str]:
    """The variables of an active conda environment at `prefix`."""
    return {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": name, "CONDA_SHLVL": "1", "PATH": path_with(prefix)}


def path_with(prefix: Path) -> str:
    """A PATH on which the programs of `prefix` come first."""
    return os.pathsep.join((str(prefix / "bin"), search_path()))


def search_path() -> str:
    """Our own PATH, without the virtual environment that we may be running in: its programs are nobody else's."""
    given = os.environ.get("PATH") or os.defpath
    if sys.prefix == sys.base_prefix:
        return given
    ours = os.path.join(sys.prefix, "bin")
    kept = [folder for folder in given.split(os.pathsep) if folder.rstrip("/") != ours]
    return os.pathsep.join(kept) or os.defpath
