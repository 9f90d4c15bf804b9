"""The contract of environments, and all of it that does not depend on who manages them."""

from __future__ import annotations

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from djsandbox.envs.activation import activated, search_path
from djsandbox.envs.dependencies import PipArguments, pip_arguments, place_for
from djsandbox.envs.tools import pip_environment
from djsandbox.errors import ComponentError, ConfigError, Problem, did_you_mean
from djsandbox.process.command import Command, Completed
from djsandbox.process.environment import child_environment
from djsandbox.process.running import OnLine, run


def show(line: str) -> None:
    """Write one line of a command's output to our own, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Env(ABC):
    """An environment with an interpreter and packages of its own, in which commands can be run.

    The constructor keeps what it is given: nothing is looked up, created or run before one of the methods is called.

    Args:
        env_name: What the manager calls the environment (a path for virtual environments, a name for conda ones).
        env_manager: Who manages it, one of the class's `managers`.
        env_path: The folder of the environment, where that does not follow from its name.
        env_py_version: The Python it is to have, such as `3.10`.
        offline: Whether the network must not be used.
    """

    managers: ClassVar[tuple[str, ...]] = ()
    """The names under which the class stands in `ENV_ROUTER`; the first is the default of `env_manager`."""
    parameters: ClassVar[frozenset[str]] = frozenset()
    """Further arguments of the constructor, which the `env_params` of a job may set."""
    on_line: OnLine | None = None
    """Gets each line that making the environment prints."""
    held: Path | None = None
    """A file that all commands in the environment hold (see `process.command.Command`)."""

    def __init__(
        self,
        env_name: str | None = None,
        env_manager: str | None = None,
        *,
        env_path: str | Path | None = None,
        env_py_version: str | None = None,
        offline: bool = False,
    ) -> None:
        self.env_manager = env_manager or self.managers[0]
        if self.env_manager not in self.managers:
            raise ConfigError(
                f"{type(self).__name__} does not know the manager '{self.env_manager}'",
                fix=did_you_mean(self.env_manager, self.managers),
            )
        self.env_name = env_name
        self.env_path = None if env_path is None else Path(env_path).expanduser().absolute()
        self.env_py_version = None if env_py_version is None else str(env_py_version)
        self.offline = offline

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.env_path or self.env_name}, env_manager={self.env_manager!r})"

    @abstractmethod
    def check_availability(self) -> bool:
        """Whether the manager is there and works; never raises for one that is not."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether the environment is there, complete."""

    @abstractmethod
    def create(self) -> None:
        """Make the environment; nothing where it exists.

        Raises SandboxError where the manager is missing or fails.
        """

    @property
    @abstractmethod
    def path(self) -> Path:
        """The folder of the environment, its prefix."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    def variables(self) -> dict[str, str]:
        """What activating the environment would set."""
        return activated(self.path)

    def install_py_deps(
        self,
        deps: str | Path | Sequence[str],
        *,
        pip_options: Sequence[str] = (),
        constraints: str | Path | Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        log_file: str | Path | None = None,
        on_line: OnLine | None = show,
    ) -> Completed:
        """Install Python packages.

        Args:
            deps: A requirements file, the folder of a code base (installed editable), or a list of requirements, each of which
                is one argument, whatever it contains.
            pip_options: Further options of the installer, one argument each: `["--no-build-isolation"]`.
            constraints: A constraints file, or several.
            env: Variables to set for the installer, beside those of the environment.
            log_file: Gets the installer's output.
            on_line: Gets each line of the installer's output; None shows nothing.

        Raises ConfigError for what is no requirement, ProcessFailed where installing fails.
        """
        arguments = pip_arguments(deps, pip_options=pip_options, constraints=constraints)
        self._must_exist()
        command = Command(
            self._installer(arguments),
            cwd=place_for(deps),
            env=child_environment(self.variables() | pip_environment(self.offline) | dict(env or {})),
            held=self.held,
            log_file=None if log_file is None else Path(log_file),
        )
        return run(command, on_line)

    def run_cmd(
        self,
        cmd: str | Sequence[str | os.PathLike[str]],
        *,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_env: Sequence[str] = (),
        timeout: float | None = None,
        log_file: str | Path | None = None,
        on_line: OnLine | None = show,
        check: bool = True,
    ) -> Completed:
        """Run a command in the environment and wait for its end.

        Args:
            cmd: A text is run by bash (sh where there is none). A list is a program and its arguments, with no shell between.
            cwd: Where it runs; our own folder when not given.
            env: Variables to set for it, beside those of the environment.
            keep_env: Names of variables of our own to pass on, too: the only way for a secret (`HF_TOKEN`).
            timeout: Seconds after which it is stopped.
            log_file: Gets every line of its output, as it comes.
            on_line: Gets them, too; by default they are shown. None shows nothing.
            check: Whether an exit code other than 0 is an error.

        Returns what came of it, with `returncode`. Raises ProcessFailed, ProcessTimedOut or ProcessNotStarted.
        """
        self._must_exist()
        command = Command(
            _argv(cmd),
            cwd=None if cwd is None else Path(cwd),
            env=child_environment(self.variables() | dict(env or {}), keep=keep_env),
            timeout=timeout,
            held=self.held,
            log_file=None if log_file is None else Path(log_file),
        )
        return run(command, on_line, check=check)

    def obstacles(self) -> list[Problem]:
        """What would make `create` fail, beside a missing manager, as far as it can be told before; makes nothing."""
        return []

    def describe(self) -> dict[str, Any]:
        """Plain data that makes this manager's environments what they are, beside its name: it enters their identity."""
        return {}

    def _installer(self, arguments: PipArguments) -> tuple[str, ...]:
        """The argv that installs `arguments` here."""
        return (str(self.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments)

    def _must_have(self, version: str | None) -> None:
        """ComponentError where the environment, of Python `version` (None: unknown), is not of the one that is asked for."""
        wanted = self.env_py_version
        if wanted is not None and version is not None and not f"{version}.".startswith(f"{wanted}."):
            raise ComponentError(
                f"the environment {self.env_path or self.env_name} has Python {version}, not {wanted}",
                fix="give it another env_name, or remove it so that it is made again",
            )

    def _must_exist(self) -> None:
        if not self.exists():
            raise ComponentError(f"the environment {self.env_path or self.env_name} does not exist", fix="create() makes it")


def _argv(cmd: str | Sequence[str | os.PathLike[str]]) -> tuple[str, ...]:
    if not isinstance(cmd, str):
        return tuple(os.fspath(part) for part in cmd)
    if not cmd.strip():
        raise ConfigError("there is no command to run")
    shell = shutil.which("bash", path=search_path()) or "/bin/sh"
    return (shell, "-c", cmd)
