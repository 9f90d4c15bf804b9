"""The programs that make environments: where they are, whether they work, and what they may see of our variables."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from djsandbox.envs.activation import search_path
from djsandbox.errors import SandboxError
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment
from djsandbox.process.running import run

_KEPT_FOR_CONDA = (
    "CONDARC", "CONDA_ENVS_PATH", "CONDA_ENVS_DIRS", "CONDA_PKGS_DIRS", "CONDA_CHANNELS", "CONDA_SUBDIR", "CONDA_SSL_VERIFY",
    "CONDA_OVERRIDE_CUDA", "MAMBA_ROOT_PREFIX", "MAMBARC",
)  # fmt: skip
CONDA_BASE = ("base", "root")
"""What conda calls the environment that it lives in itself."""
_NAMED_BY = {"conda": "CONDA_EXE", "mamba": "MAMBA_EXE", "micromamba": "MAMBA_EXE"}
_PATIENCE = 120.0  # seconds for a question that a manager answers in three, on a slow network file system


def program(name: str) -> str | None:
    """The path of a manager's program: on the PATH, beside our interpreter, or where conda's own variables say."""
    found = shutil.which(name, path=search_path())
    beside = Path(sys.executable).with_name(name)
    if found is None or "/shims/" in found:  # a shim may stand for nothing
        found = str(beside) if os.access(beside, os.X_OK) else found
    named = os.environ.get(_NAMED_BY.get(name, ""), "")
    if found is None and Path(named).name == name and os.access(named, os.X_OK):
        found = named
    return found


def conda_base() -> Path | None:
    """The environment that conda or mamba itself lives in; None where there is none."""
    programs = [found for name in ("conda", "mamba") if (found := program(name)) is not None]
    roots = [Path(os.path.realpath(found)).parent.parent for found in programs]
    return next((root for root in roots if (root / "conda-meta").is_dir() and (root / "bin" / "python").exists()), None)


def answer(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> str | None:
    """What a program prints; None where it cannot be started or fails."""
    lines: list[str] = []
    command = Command(tuple(argv), env=env if env is not None else child_environment(), timeout=_PATIENCE)
    try:
        run(command, lines.append)
    except SandboxError:
        return None
    return "\n".join(lines)


def conda_environment(offline: bool) -> dict[str, str]:
    """The variables with which programs of the conda family run."""
    extra = {"CONDA_OFFLINE": "true", "MAMBA_OFFLINE": "true"} if offline else {}
    return child_environment({**extra, "CONDA_JSON": "false", "PATH": search_path()}, keep=_KEPT_FOR_CONDA)


def pip_environment(offline: bool) -> dict[str, str]:
    """The variables that make pip and uv work without the network, where it must not be used."""
    return {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"} if offline else {}
