"""Environments that are there already and belong to somebody else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import ClassVar

from djsandbox.envs.activation import activated, activated_conda, path_with
from djsandbox.envs.base import Env
from djsandbox.envs.dependencies import PipArguments
from djsandbox.envs.tools import CONDA_BASE, answer, conda_base, program
from djsandbox.errors import ComponentError, ConfigError


class ExistingEnv(Env):
    """What is there: `env_path` (or `env_name`) is the folder of an environment or an interpreter.

    A bare name that is no folder is that of a conda environment; without any, it is the interpreter we are running in.
    """

    managers: ClassVar[tuple[str, ...]] = ("existing",)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        given = self._given()
        if given is None:
            return Path(sys.executable)
        return given if given.is_file() else given / "bin" / "python"

    @property
    def path(self) -> Path:
        """The folder of the environment: that of `bin/python`."""
        return self.python.parent.parent

    def check_availability(self) -> bool:
        """Always: nothing manages it."""
        return True

    def exists(self) -> bool:
        """Whether its interpreter is there."""
        return os.access(self.python, os.X_OK) and self.python.is_file()

    def create(self) -> None:
        """Nothing; ComponentError where it is not there, for it is not ours to make."""
        if not self.exists():
            raise ComponentError(
                f"there is no environment at {self._given()}",
                fix="give the folder of an environment, or its interpreter, as 'path' in env_params",
            )

    def variables(self) -> dict[str, str]:
        """What activating it would set."""
        if (self.path / "conda-meta").is_dir():
            return activated_conda(self.path, self.path.name)
        if (self.path / "pyvenv.cfg").is_file():
            return activated(self.path)
        return {"PATH": path_with(self.path)}

    def _given(self) -> Path | None:
        if self.env_path is not None:
            return self.env_path
        if not self.env_name:
            return None
        path = Path(self.env_name).expanduser().absolute()
        return path if path.exists() or "/" in self.env_name else _conda_prefix(self.env_name) or path

    def _installer(self, arguments: PipArguments) -> tuple[str, ...]:
        if answer((str(self.python), "-m", "pip", "--version")) is not None:
            return super()._installer(arguments)
        uv = program("uv")
        if uv is None:
            raise ConfigError(f"{self.python} has no pip to install with", fix="pip install uv")
        return (uv, "pip", "install", "--no-progress", "--python", str(self.python), *arguments)


def _conda_prefix(name: str) -> Path | None:
    """The conda environment of that name, from the list that conda itself keeps."""
    if name in CONDA_BASE:
        return conda_base()
    try:
        listed = (Path.home() / ".conda" / "environments.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((Path(line) for line in listed if Path(line).name == name and Path(line).parent.name == "envs"), None)
