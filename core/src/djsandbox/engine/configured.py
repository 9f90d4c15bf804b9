"""What a key of a config names by a type and its options: found, configured and checked before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from djsandbox.components.config import ComponentConfig
from djsandbox.config.document import Document
from djsandbox.config.schema import problems_of
from djsandbox.engine.guard import asked
from djsandbox.errors import PluginError, Position, Problem, SandboxError
from djsandbox.plugins.resolve import resolve

_TYPE = "type"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is wanted: a subclass of `base` from the entry-point group `group`, which messages call `noun`.

    `example` is a type of that kind, `default` the one where a mapping names none, if there is one.
    """

    group: str
    noun: str
    base: type
    example: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """The class that was named, how, and its checked config."""

    type_name: str
    found_class: type
    config: ComponentConfig

    def make(self) -> Any:
        """An object of the class."""
        return asked(self.found_class, "__init__()", lambda: self.found_class(self.config))


def configured(document: Document, kind: Kind, folder: Path, problems: list[Problem]) -> Configured | None:
    """What `document`, a type or a mapping of `type` and options, asks for; None where it is wrong, and `problems` say how.

    A `./file.py:Class` is relative to the file that names it, or else to `folder`.
    """
    written = document.data
    is_mapping = isinstance(written, Mapping)
    type_name = written.get(_TYPE, kind.default) if is_mapping else written
    where = document.at((_TYPE,) if is_mapping and _TYPE in written else ())
    if not isinstance(type_name, str):
        message = f"a {kind.noun} is a type, or a mapping of 'type' and its options"
        problems.append(Problem(message, where, f"{kind.noun}: {kind.example}"))
        return None
    named_in = Path(where.file)
    try:
        found = resolve(kind.group, type_name, base=kind.base, folder=named_in.parent if named_in.is_file() else folder)
    except PluginError as error:
        problems.append(Problem(error.problems[0].message, error.problems[0].where or where, error.problems[0].fix))
        return None
    options: dict[str, Any] = {str(key): value for key, value in written.items() if key != _TYPE} if is_mapping else {}
    model: object = getattr(found.component_class, "Config", None)
    if not (inspect.isclass(model) and issubclass(model, ComponentConfig)):
        fix = "class Config(ComponentConfig): ..."
        problems.append(Problem(f"the Config of the {kind.noun} '{type_name}' is no ComponentConfig", where, fix))
        return None
    try:
        chosen = Configured(type_name, found.component_class, model.model_validate(options))
    except ValidationError as error:
        problems.extend(problems_of(error, document.with_data(options), model, known=(_TYPE,)))
        return None
    return chosen if _is_usable(chosen, document, where, problems) else None


def _is_usable(chosen: Configured, document: Document, where: Position, problems: list[Problem]) -> bool:
    try:
        made = chosen.make()
        found = asked(chosen.found_class, "check()", lambda: list(made.check()))
    except SandboxError as error:
        problems.extend(replace(problem, where=problem.where or where) for problem in error.problems)
        return False
    problems.extend(Problem(one.message, document.at(one.loc), one.fix, one.severity) for one in found)
    return all(one.severity != "error" for one in found)
