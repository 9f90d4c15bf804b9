"""Functions that a config names as it names types: those of plugins, or as they lie in a file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeGuard

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo
from pydantic_core import PydanticCustomError

from djsandbox.errors import PluginError
from djsandbox.plugins.groups import named
from djsandbox.plugins.index import PluginIndex, plugin_index
from djsandbox.plugins.local_faults import defined_in
from djsandbox.plugins.resolve import Wanted, find

FOLDER_OF = "djsandbox_folder_of"
"""In the context of a validation: tells the folder of the file that names a field, by the field's name."""


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """A function that a config names; it is called like the function itself.

    `name` is what the config has. What it does depends on the version of its plugin, or on the source of its file and of what
    that imports (`source_digest`); both enter the content key of the job.
    """

    name: str
    call: Callable[..., Any] = field(repr=False, compare=False)
    distribution: str | None = None
    version: str | None = None
    source_digest: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return self.call(*args, **kwargs)

    def identity(self) -> dict[str, str | None]:
        """What stands for it in plain data."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "source_digest": self.source_digest,
        }


def find_function(group: str, name: str, *, folder: Path, index: PluginIndex | None = None) -> NamedFunction:
    """The function that `name` means in `group`.

    That is one of an installed plugin, `distribution:name` where two have it; `./file.py:function`, relative to `folder`; or
    `package.module:function`. Raises PluginError, with the nearest name, where there is none.
    """
    in_file = partial(defined_in, kind=ast.FunctionDef)
    wanted = Wanted(function_problem, _is_function, "function", "function", in_file)
    found = find(group, name, wanted, folder, index or plugin_index())
    function: Any = found.component_class
    return NamedFunction(name, function, found.distribution, found.version, found.source_digest)


def function_problem(found: object, what: str) -> PluginError | None:
    """The error for what is no function or the like; a class would be called to no use."""
    if _is_function(found):
        return None
    return PluginError(f"{what} is no function, but of type '{type(found).__name__}'", fix="name a function")


def message_function_of(claim: Any, found: object) -> None:
    """PluginError where the entry point `claim` of `message_functions` names no function."""
    problem = function_problem(found, named(claim.group, claim.name))
    if problem is not None:
        raise problem


def _is_function(value: object) -> TypeGuard[Callable[..., Any]]:
    return callable(value) and not inspect.isclass(value)


def _found(group: str, value: object, info: ValidationInfo) -> object:
    if isinstance(value, NamedFunction):
        return value
    if _is_function(value):  # from Python
        return NamedFunction(getattr(value, "__qualname__", type(value).__name__), value)
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("function_name", "names no function", {"fix": 'name one, or "./file.py:function"'})
    context: Mapping[str, Any] = info.context if isinstance(info.context, Mapping) else {}
    folder_of = context.get(FOLDER_OF)
    folder = folder_of(info.field_name) if folder_of is not None else Path.cwd()
    try:
        return find_function(group, value, folder=folder)
    except PluginError as error:
        problem = error.problems[0]
        raise PydanticCustomError("function_name", "{problem}", {"problem": problem.message, "fix": problem.fix}) from error


MessageFunction = Annotated[
    NamedFunction,
    BeforeValidator(partial(_found, "message_functions")),
    PlainSerializer(NamedFunction.identity, return_type=dict[str, str | None]),
]
"""The type of a config's field that names a function of the group `djsandbox.message_functions`, or one in a file."""
