"""Conda environments: made by conda, mamba or micromamba."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox.envs.activation import activated_conda
from djsandbox.envs.base import Env
from djsandbox.envs.faults import KeyProblem
from djsandbox.envs.interpreters import own_version
from djsandbox.envs.lock import FileLock
from djsandbox.envs.places import locks_folder
from djsandbox.envs.tools import CONDA_BASE, answer, conda_environment, program
from djsandbox.errors import ComponentError, ConfigError, Problem
from djsandbox.process.command import Command
from djsandbox.process.running import run

_GET = "install it (https://conda-forge.org/download), or use another env_manager: uv, venv"


class CondaEnv(Env):
    """An environment of conda, mamba or micromamba; `env_name` is what they call it.

    Args:
        env_config_path: An environment file (`environment.yml`) that says all of it, the Python and the name included, where
            `env_name` gives no other. Else the environment has `env_py_version`, our own when not given.

    Commands run with the environment's own interpreter and variables, not through `conda run`, which holds their output back.
    """

    managers: ClassVar[tuple[str, ...]] = ("conda", "mamba", "micromamba")
    parameters: ClassVar[frozenset[str]] = frozenset({"env_config_path"})

    def __init__(
        self,
        env_name: str | None = None,
        env_manager: str | None = None,
        *,
        env_config_path: str | Path | None = None,
        env_path: str | Path | None = None,
        env_py_version: str | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(env_name, env_manager, env_path=env_path, env_py_version=env_py_version, offline=offline)
        self.env_config_path = None if env_config_path is None else Path(env_config_path).expanduser().absolute()
        self._prefix: Path | None = None
        self._variables: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """What the manager calls it: `env_name`, or the name in the environment file."""
        if self.env_name:
            return self.env_name
        named = self._config().get("name") if self.env_config_path is not None else None
        if not isinstance(named, str) or not named:
            raise ConfigError("a conda environment needs an env_name, or an env_config_path whose file has a 'name'")
        return named

    @property
    def path(self) -> Path:
        """The prefix; asks the manager where it does not follow from `env_path`. ComponentError where there is none."""
        self._refuse_base()
        found = self._found()
        if found is None:
            raise ComponentError(f"{self.env_manager} has no environment '{self.name}'", fix="create() makes it")
        return found

    def check_availability(self) -> bool:
        """Whether the program is there and answers."""
        found = program(self.env_manager)
        return found is not None and answer((found, "--version"), env=conda_environment(self.offline)) is not None

    def exists(self) -> bool:
        """Whether the manager has the environment (with `env_path`: whether there is a complete one)."""
        if self.env_path is not None:
            return _is_complete(self.env_path)
        return self._found() is not None

    def create(self) -> None:
        """Make the environment, from the environment file or with its Python. ConfigError for `base`, which is conda's own."""
        self._refuse_base()
        if self.exists():
            found = sorted(self.path.glob("conda-meta/python-[0-9]*.json"))
            self._must_have(found[0].name.split("-")[1] if found else None)
            return
        lock = locks_folder() / f"{self.env_manager}.lock"  # conda locks next to nothing by itself
        with FileLock(lock, f"an environment of {self.env_manager}"):
            if not self.exists():
                run(Command(self._maker(), env=conda_environment(self.offline), held=self.held), self.on_line)

    def variables(self) -> dict[str, str]:
        """What activating the environment would set, what its packages' own scripts set included."""
        if self._variables is None:
            path = self.path
            self._variables = activated_conda(path, str(path) if self.env_path is not None else self.name)
        return dict(self._variables)

    def obstacles(self) -> list[Problem]:
        """The name of conda's own; a file that cannot be read, is none, or leaves no room for the Python that is asked for."""
        try:
            self._checked_config()
            self._refuse_base()
        except ConfigError as error:
            return list(error.problems)
        return []

    def describe(self) -> dict[str, Any]:
        """The content of the environment file."""
        return {} if self.env_config_path is None else {"env_config": self._text()}

    def _must_exist(self) -> None:
        self._refuse_base()
        super()._must_exist()

    def _refuse_base(self) -> None:
        if self.env_path is not None or self.name not in CONDA_BASE:
            return
        what = f"'{self.name}' is the environment that {self.env_manager} itself lives in: nothing is made or installed there"
        fix = "choose another env_name; to use it as it is: env_manager: existing, env_name: base"
        raise ConfigError.of([KeyProblem(what, fix=fix, loc=("env_name",))])

    def _maker(self) -> tuple[str, ...]:
        where = ("-n", self.name) if self.env_path is None else ("-p", str(self.env_path))
        if self.env_config_path is None:
            return (self._program(), "create", "-y", *where, f"python={self.env_py_version or own_version()}")
        self._checked_config()
        made = ("create", "-y") if self.env_manager == "micromamba" else ("env", "create")
        return (self._program(), *made, *where, "-f", str(self.env_config_path))

    def _found(self) -> Path | None:
        if self.env_path is not None:
            return self.env_path
        if self._prefix is None or not _is_complete(self._prefix):
            self._prefix = self._asked()
        return self._prefix

    def _asked(self) -> Path | None:
        found = program(self.env_manager)
        said = answer((found, "env", "list", "--json"), env=conda_environment(self.offline)) if found else None
        if said is None:
            return None
        try:
            prefixes = [Path(text) for text in json.loads(said)["envs"]]
        except (ValueError, KeyError, TypeError):
            return None
        # A name means one of the folders named envs; a prefix elsewhere that happens to be called the same has no name.
        return next((path for path in prefixes if path.name == self.name and path.parent.name == "envs"), None)

    def _text(self) -> str:
        path = self.env_config_path
        try:
            return path.read_text(encoding="utf-8") if path is not None else ""
        except OSError as error:
            raise ConfigError(f"the environment file {path} cannot be read: {error.strerror}") from error

    def _checked_config(self) -> None:
        if self.env_config_path is None:
            return
        if self.env_py_version is not None:
            raise ConfigError(
                f"both env_config_path and env_py_version ({self.env_py_version}) are given",
                fix=f"leave env_py_version out, and name the Python in {self.env_config_path}",
            )
        self._config()

    def _config(self) -> Mapping[str, Any]:
        import yaml  # noqa: PLC0415 - only environment files need it

        try:
            data = yaml.safe_load(self._text())
        except yaml.YAMLError as error:
            raise ConfigError(f"the environment file {self.env_config_path} is no YAML: {error}") from error
        if not isinstance(data, Mapping):
            raise ConfigError(f"the environment file {self.env_config_path} is no mapping of name, channels and dependencies")
        return data

    def _program(self) -> str:
        found = program(self.env_manager)
        if found is None:
            raise ComponentError(f"{self.env_manager} is not installed", fix=_GET)
        return found


def _is_complete(prefix: Path) -> bool:
    return (prefix / "conda-meta" / "history").is_file()
