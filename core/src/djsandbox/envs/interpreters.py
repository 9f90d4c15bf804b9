"""Finding a Python of a given version."""

from __future__ import annotations

import os
import shutil
import sys
from functools import lru_cache
from pathlib import Path

from djsandbox.envs.activation import search_path
from djsandbox.envs.tools import answer

_SAY = "import sys; print('.'.join(map(str, sys.version_info[:3])))"


def own_version() -> str:
    """Our own `major.minor`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def own_interpreter() -> Path:
    """Our own interpreter, not that of a virtual environment it may be running in."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Path(os.path.realpath(base))


def found_interpreter(version: str) -> Path | None:
    """An interpreter of `version` (`3.10` fits 3.10.13): our own, or one on the PATH; None where there is none.

    Candidates are asked: a pyenv shim may stand for a version that is not selected.
    """
    if _fits(".".join(map(str, sys.version_info[:3])), version):
        return own_interpreter()
    minor = ".".join(version.split(".")[:2])
    for folder in search_path().split(os.pathsep):
        for name in (f"python{minor}", "python3", "python"):
            candidate = shutil.which(name, path=folder)
            if candidate is not None and _fits(_version_of(candidate), version):
                return Path(candidate)
    return None


def _fits(found: str | None, wanted: str) -> bool:
    return found is not None and f"{found}.".startswith(f"{wanted}.")


@lru_cache(maxsize=64)
def _version_of(candidate: str) -> str | None:
    return answer((candidate, "-I", "-S", "-c", _SAY))
