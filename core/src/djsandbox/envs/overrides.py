"""What the `env_params` of a job change in a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from djsandbox.envs.recipe import EnvRecipe
from djsandbox.envs.requirement_files import name_of
from djsandbox.errors import ConfigError, Problem, did_you_mean

_APPENDED = ("requirement_files", "leave_out", "pip_options")
_BY_NAME = ("requirements", "constraints")
PARAMS = ("python", "env_py_version", "env_config_path", "homes", "variables", *_BY_NAME, *_APPENDED)
"""The `env_params` that every manager knows."""
_AMBIGUOUS = 3.1
FOR_EXISTING = ("path", "homes", "variables")
"""Those that the manager `existing` knows, which installs nothing."""


def overridden(recipe: EnvRecipe, params: Mapping[str, Any]) -> tuple[EnvRecipe, dict[str, Any]]:
    """`recipe` with what `params` change, and those of `params` that are for the manager. ConfigError with all that is wrong.

    `requirements` and `constraints` take the place of the recipe's on the same package, and are added otherwise;
    `requirement_files`, `leave_out` and `pip_options` are added; `variables` are set beside the recipe's; `homes` are the
    user's own checkouts by the names of repositories.
    """
    problems = [problem for name, value in params.items() if (problem := _problem(name, value)) is not None]
    changes: dict[str, Any] = {
        name: (*getattr(recipe, name), *params[name]) for name in _APPENDED if _is_list(params.get(name))
    }
    for name in _BY_NAME:
        if _is_list(params.get(name)):
            changes[name] = _merged(getattr(recipe, name), params[name])
    if isinstance(params.get("variables"), Mapping):
        changes["variables"] = {**recipe.variables, **params["variables"]}
    python = params.get("python", params.get("env_py_version"))
    if python is not None:
        changes["python"] = str(python)
    if params.get("env_config_path") is not None:
        changes["env_config_path"] = os.fspath(params["env_config_path"])
    if isinstance(params.get("homes"), Mapping):
        homes = params["homes"]
        names = [repository.name for repository in recipe.repositories]
        problems += [
            Problem(f"env_params: no repository '{one}'", fix=did_you_mean(one, names)) for one in homes if one not in names
        ]
        changes["repositories"] = tuple(
            replace(repository, home=os.fspath(homes[repository.name])) if homes.get(repository.name) else repository
            for repository in recipe.repositories
        )
    if problems:
        raise ConfigError.of(problems)
    try:
        changed = replace(recipe, **changes)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"env_params: {error}") from error
    return changed, {name: value for name, value in params.items() if name not in PARAMS}


def _problem(name: str, value: Any) -> Problem | None:
    if name in (*_APPENDED, *_BY_NAME) and not (_is_list(value) and all(isinstance(text, str) for text in value)):
        return Problem(f"env_params: {name} is a list of texts, not {value!r}")
    if name in ("variables", "homes"):
        plain = isinstance(value, Mapping) and all(isinstance(text, str) for item in value.items() for text in item)
        return None if plain else Problem(f"env_params: {name} is a mapping of texts to texts, not {value!r}")
    if name in ("python", "env_py_version") and value == _AMBIGUOUS:
        return Problem(f"env_params: {name} is a text, for 3.10 as a number is 3.1", fix=f'{name}: "3.10"')
    return None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _merged(recipes: Sequence[str], users: Sequence[str]) -> tuple[str, ...]:
    named = {name_of(text) for text in users} - {None}
    return (*(text for text in recipes if name_of(text) not in named), *users)
