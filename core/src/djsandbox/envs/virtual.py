"""Virtual environments: made by venv, virtualenv or uv."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import ClassVar

from djsandbox.envs.activation import search_path
from djsandbox.envs.base import Env
from djsandbox.envs.dependencies import PipArguments
from djsandbox.envs.interpreters import found_interpreter, own_interpreter, own_version
from djsandbox.envs.lock import FileLock
from djsandbox.envs.places import locks_folder
from djsandbox.envs.tools import answer, pip_environment, program
from djsandbox.errors import ComponentError, ConfigError, Problem
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment
from djsandbox.process.running import run

_BRINGING = ("uv", "conda", "mamba", "micromamba")
_GET = {"uv": "pip install uv", "virtualenv": "pip install virtualenv"}


class VirtualEnv(Env):
    """A virtual environment; `env_name` is its folder.

    `env_py_version` is honoured: uv downloads a Python that is not there (unless `offline`), virtualenv and venv need one of
    that version on the PATH. Without it, the environment has our own.
    """

    managers: ClassVar[tuple[str, ...]] = ("venv", "virtualenv", "uv")

    @property
    def path(self) -> Path:
        """The folder of the environment."""
        if self.env_path is not None:
            return self.env_path
        if not self.env_name:
            raise ConfigError("a virtual environment needs an env_name: its folder")
        return Path(self.env_name).expanduser().absolute()

    def check_availability(self) -> bool:
        """Whether the program is there and answers (venv: whether our Python can make environments with pip)."""
        if self.env_manager == "venv":
            return answer((str(own_interpreter()), "-c", "import venv, ensurepip")) is not None
        found = program(self.env_manager)
        return found is not None and answer((found, "--version")) is not None

    def exists(self) -> bool:
        """Whether there is a complete environment, whoever made it."""
        return self._is_made() and not self._unfinished.exists()

    def create(self) -> None:
        """Make the environment. What an interrupted attempt of ours has left is replaced; anything else is not touched.

        ComponentError where there is one with another Python than `env_py_version`.
        """
        if self.exists():
            self._must_have(self._version())
            return
        path, unfinished = self.path, self._unfinished
        with FileLock(locks_folder() / f"{_digest(path)}.lock", f"the environment {path}"):
            if self.exists():
                return
            if unfinished.exists():
                shutil.rmtree(path, ignore_errors=True)
            elif path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise ComponentError(
                    f"{path} is there and is no virtual environment", fix="choose another env_name, or remove it"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            argv = self._maker()
            self._make(argv)

    def _make(self, argv: tuple[str, ...]) -> None:
        unfinished = self._unfinished
        unfinished.touch()
        try:
            # Not in our own folder, whose pyproject.toml uv would read.
            run(Command(argv, cwd=Path("/"), env=self._makers_environment(), held=self.held), self.on_line)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        finally:
            unfinished.unlink()

    def _is_made(self) -> bool:
        return (self.path / "pyvenv.cfg").is_file() and os.access(self.python, os.X_OK)

    def _version(self) -> str | None:
        text = (self.path / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^version(?:_info)?\s*=\s*(\d+(?:\.\d+)*)", text, re.MULTILINE)
        return found[1] if found else None

    @property
    def _unfinished(self) -> Path:
        return self.path.with_name(f".{self.path.name}.unfinished")

    def _maker(self) -> tuple[str, ...]:
        if self.env_manager == "uv":
            wanted = self.env_py_version or own_version()
            python = str(own_interpreter()) if wanted == own_version() else wanted
            return (self._program(), "venv", "--no-project", "--python", python, str(self.path))
        python = self._interpreter()
        if self.env_manager == "virtualenv":
            return (self._program(), "-p", python, "--no-download", str(self.path))
        if answer((python, "-c", "import venv, ensurepip")) is None:
            raise ComponentError(
                f"{python} cannot make virtual environments with pip: its venv or ensurepip is missing",
                fix="install it (Debian: apt install python3-venv), or use another env_manager: uv",
            )
        return (python, "-m", "venv", str(self.path))

    def obstacles(self) -> list[Problem]:
        """A Python that is asked for, is not there, and cannot be brought by the manager."""
        wanted = self.env_py_version or own_version()
        if self.env_manager == "uv" or found_interpreter(wanted) is not None:
            return []
        message = f"{self.env_manager} needs a Python {wanted}, and there is none on the PATH"
        return [Problem(message, fix=f"install Python {wanted}, or use an env_manager that brings one: {', '.join(_BRINGING)}")]

    def _interpreter(self) -> str:
        found = found_interpreter(self.env_py_version or own_version())
        if found is None:
            (problem,) = self.obstacles()
            raise ComponentError(problem.message, fix=problem.fix)
        return str(found)

    def _program(self) -> str:
        found = program(self.env_manager)
        if found is None:
            raise ComponentError(f"{self.env_manager} is not installed", fix=_GET[self.env_manager])
        return found

    def _makers_environment(self) -> dict[str, str]:
        return child_environment({"PATH": search_path(), **pip_environment(self.offline)})

    def _installer(self, arguments: PipArguments) -> tuple[str, ...]:
        if self.env_manager == "uv":
            return (self._program(), "pip", "install", "--no-progress", "--python", str(self.python), *arguments)
        return super()._installer(arguments)


def _digest(path: Path) -> str:
    import hashlib  # noqa: PLC0415 - only who makes one needs it

    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
