"""What the `env_params` of a job change in a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from djsandbox.envs.faults import KeyProblem, Loc
from djsandbox.envs.plain import variable_fault
from djsandbox.envs.recipe import EnvRecipe
from djsandbox.envs.requirement_files import name_of
from djsandbox.errors import Problem, did_you_mean

_APPENDED = ("requirement_files", "leave_out", "pip_options")
_BY_NAME = ("requirements", "constraints")
PARAMS = ("python", "env_py_version", "env_config_path", "homes", "variables", *_BY_NAME, *_APPENDED)
"""The `env_params` that every manager knows."""
_AMBIGUOUS = 3.1
CHECK = "check"
FOR_EXISTING = ("path", "homes", "variables", CHECK)
"""Those that the manager `existing` knows, which installs nothing."""


def overridden(recipe: EnvRecipe, params: Mapping[str, Any]) -> tuple[EnvRecipe, dict[str, Any], list[Problem]]:
    """`recipe` with what `params` change, those of `params` that are for the manager, and all that is wrong, by its key.

    `requirements` and `constraints` take the place of the recipe's on the same package, and are added otherwise;
    `requirement_files`, `leave_out` and `pip_options` are added; `variables` are set beside the recipe's; `homes` are the
    user's own checkouts by the names of repositories. What is wrong changes nothing.
    """
    wrong: list[Problem] = []
    changed = recipe
    for name, value in params.items():
        problems = list(_problems(recipe, name, value))
        wrong += problems
        if not problems and name in PARAMS:
            try:
                changed = replace(changed, **_change(changed, name, value))
            except (TypeError, ValueError) as error:
                wrong.append(KeyProblem(f"env_params: {error}", loc=("env_params", name)))
    return changed, {name: value for name, value in params.items() if name not in PARAMS}, wrong


def _change(recipe: EnvRecipe, name: str, value: Any) -> dict[str, Any]:
    """What a parameter without problems changes in `recipe`."""
    if name in _APPENDED:
        return {name: (*getattr(recipe, name), *value)}
    if name in _BY_NAME:
        return {name: _merged(getattr(recipe, name), value)}
    if name == "variables":
        return {name: {**recipe.variables, **value}}
    if name == "homes":
        own = [replace(one, home=value[one.name]) if value.get(one.name) else one for one in recipe.repositories]
        return {"repositories": tuple(own)}
    if value is None:
        return {}
    return {name: os.fspath(value)} if name == "env_config_path" else {"python": str(value)}


def _problems(recipe: EnvRecipe, name: str, value: Any) -> Iterator[Problem]:
    loc: Loc = ("env_params", name)
    if name in (*_APPENDED, *_BY_NAME):
        if not _is_list(value):
            yield KeyProblem(f"env_params: {name} is a list of texts, not {value!r}", loc=loc)
            return
        for place, text in enumerate(value):
            if not isinstance(text, str):
                yield KeyProblem(f"env_params: {name} is a list of texts, and {text!r} is none", loc=(*loc, place))
    elif name in ("variables", "homes"):
        if not isinstance(value, Mapping):
            yield KeyProblem(f"env_params: {name} is a mapping of texts to texts, not {value!r}", loc=loc)
            return
        for key, text in value.items():
            if not isinstance(key, str) or not isinstance(text, str):
                yield KeyProblem(f"env_params: {name} is a mapping of texts to texts, not {dict(value)!r}", loc=(*loc, key))
            elif (fault := _fault(recipe, name, key, text)) is not None:
                yield replace(fault, loc=(*loc, key))
    elif name in ("python", "env_py_version") and value == _AMBIGUOUS:
        yield KeyProblem(f"env_params: {name} is a text, for 3.10 as a number is 3.1", fix=f'{name}: "3.10"', loc=loc)
    elif name in ("path", "env_config_path") and not _is_path(value):
        yield KeyProblem(f"env_params: {name} is the path of a file or folder, not {value!r}", loc=loc)
    elif name == CHECK and not isinstance(value, bool):
        message = f"env_params: {name} is true or false (whether the recipe's check is run), not {value!r}"
        yield KeyProblem(message, loc=loc)


def _fault(recipe: EnvRecipe, name: str, key: str, text: str) -> KeyProblem | None:
    if name == "variables":
        fault = variable_fault(key, text)
        return KeyProblem(f"env_params: variables, {key!r}: {fault}") if fault is not None else None
    names = [repository.name for repository in recipe.repositories]
    return None if key in names else KeyProblem(f"env_params: no repository '{key}'", fix=did_you_mean(key, names))


def _is_path(value: Any) -> bool:
    return value is None or (isinstance(value, (str, os.PathLike)) and "\0" not in os.fspath(value))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _merged(recipes: Sequence[str], users: Sequence[str]) -> tuple[str, ...]:
    named = {name_of(text) for text in users} - {None}
    return (*(text for text in recipes if name_of(text) not in named), *users)
