"""What a component has to do with the environment that it runs its programs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import Field

from djsandbox.components.config import ComponentConfig

_WHICH_ENVIRONMENT = frozenset({"env_name", "env_manager", "env_params"})


class EnvConfig(ComponentConfig):
    """What the config of every component has that runs in an environment of its own.

    They are outside of the content key because what they come to, the identity of the environment, is inside.
    """

    env_name: str | None = None
    """What the environment is called; by default as its recipe is."""
    env_manager: str | None = None
    """Who makes it (uv, venv, virtualenv, conda, mamba, micromamba), or `existing` for one that is there."""
    env_params: dict[str, Any] = Field(default_factory=dict)
    """What is different from the recipe: python, requirements, homes, variables, ...; the path of an existing one."""

    outside_key: ClassVar[frozenset[str]] = _WHICH_ENVIRONMENT


class Recipe(Protocol):
    """What an environment is made of: a `djsandbox.EnvRecipe`."""

    @property
    def name(self) -> str:
        """What people call it."""


class Environment(Protocol):
    """An environment that is ready to be used; during a run the engine provides it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def path(self) -> Path:
        """Its folder, the prefix."""

    @property
    def python(self) -> Path:
        """Its interpreter."""

    @property
    def sources(self) -> Mapping[str, Path]:
        """The folders of its repositories, by name."""

    @property
    def packages(self) -> Mapping[str, str]:
        """The versions of what is installed in it, by name; empty for one that is not ours."""

    def variables(self) -> dict[str, str]:
        """What to set for a program that runs in it: what activating it would, and the recipe's variables."""

    def run_cmd(
        self,
        cmd: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        check: bool = True,
        **options: Any,
    ) -> Any:
        """Run a command in it, with what `djsandbox.Env.run_cmd` takes."""
