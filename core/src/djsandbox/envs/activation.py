"""What activating an environment sets, without a shell to do it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path

from djsandbox.envs.places import refuse_separator
from djsandbox.errors import SandboxError
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment
from djsandbox.process.running import run
from djsandbox.redact import redact

_UNSET = "***unset***"  # how conda marks a variable that is to be removed
_SHELLS_OWN = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "PS1"})
_RUN_ALL = 'tell=$1; shift; for script in "$@"; do . "$script"; done; exec "$0" -I -S -c "$tell"'
_TELL = "import json, os; print(); print(json.dumps(dict(os.environ)))"
_PATIENCE = 60.0
_logger = logging.getLogger("djsandbox.envs")


def activated(prefix: Path) -> dict[str, str]:
    """The variables of an active virtual environment at `prefix`."""
    return {"VIRTUAL_ENV": str(prefix), "PATH": path_with(prefix)}


def activated_conda(prefix: Path, name: str) -> dict[str, str]:
    """The variables of an active conda environment at `prefix`.

    Those of `conda env config vars` are among them, and what the scripts of its packages (compilers, CUDA) set.
    """
    found = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": name, "CONDA_SHLVL": "1", "PATH": path_with(prefix)}
    found |= _configured(prefix)
    scripts = sorted(str(path) for path in prefix.glob("etc/conda/activate.d/*.sh"))
    return found | _set_by(scripts, found) if scripts else found


def _configured(prefix: Path) -> dict[str, str]:
    try:
        said = json.loads((prefix / "conda-meta" / "state").read_bytes())["env_vars"]
        return {name: str(value) for name, value in said.items() if value != _UNSET}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _set_by(scripts: list[str], variables: dict[str, str]) -> dict[str, str]:
    """What activation scripts change: they are shell, so a shell has to run them, once."""
    before = child_environment(variables)
    shell = shutil.which("bash", path=search_path()) or "/bin/sh"
    # -S: the interpreter of ours that tells the result needs nothing of the environment.
    command = Command((shell, "-c", _RUN_ALL, sys.executable, _TELL, *scripts), env=before, timeout=_PATIENCE)
    lines: list[str] = []
    try:
        run(command, lines.append)
        after: dict[str, str] = json.loads(lines[-1])
    except (SandboxError, ValueError, IndexError) as error:
        _logger.warning("the activation scripts of %s fail: %s", variables["CONDA_PREFIX"], error)
        return {}
    known = {name: str(redact(value)) for name, value in before.items()}  # as a command's output shows them
    return {name: value for name, value in after.items() if known.get(name) != value and name not in _SHELLS_OWN}


def path_with(prefix: Path) -> str:
    """A PATH on which the programs of `prefix` come first. ConfigError where no PATH can hold it."""
    refuse_separator(prefix)
    return os.pathsep.join((str(prefix / "bin"), search_path()))


def search_path() -> str:
    """Our own PATH, without the virtual environment that we may be running in: its programs are nobody else's."""
    given = os.environ.get("PATH") or os.defpath
    if sys.prefix == sys.base_prefix:
        return given
    ours = os.path.join(sys.prefix, "bin")
    kept = [folder for folder in given.split(os.pathsep) if folder.rstrip("/") != ours]
    return os.pathsep.join(kept) or os.defpath
