"""Which launcher a config asks for: found and checked before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from djsandbox.components.config import ComponentConfig
from djsandbox.components.launcher import Launcher
from djsandbox.config.document import Document
from djsandbox.config.schema import problems_of
from djsandbox.engine.guard import asked
from djsandbox.engine.launching.local import LocalLauncher
from djsandbox.errors import PluginError, Position, Problem, SandboxError
from djsandbox.plugins.resolve import resolve

LAUNCHER_KEY = "launcher"
DEFAULT_TYPE = "local"
_TYPE = "type"


@dataclass(frozen=True, slots=True)
class ChosenLauncher:
    """The class of a launcher and its checked config."""

    launcher_class: type[Launcher]
    config: ComponentConfig

    def make(self) -> Launcher:
        """A launcher, not yet connected."""
        return asked(self.launcher_class, "__init__()", lambda: self.launcher_class(self.config))


DEFAULT = ChosenLauncher(LocalLauncher, LocalLauncher.Config())


def choose(document: Document, folder: Path, problems: list[Problem]) -> ChosenLauncher | None:
    """The launcher that a `launcher` key, a type or a mapping, asks for; None where it is wrong, and `problems` say how.

    A `./file.py:Class` is relative to the file that names it, or else to `folder`.
    """
    written = document.data
    is_mapping = isinstance(written, Mapping)
    type_name = written.get(_TYPE, DEFAULT_TYPE) if is_mapping else written
    where = document.at((_TYPE,) if is_mapping and _TYPE in written else ())
    if not isinstance(type_name, str):
        problems.append(Problem("a launcher is a type, or a mapping of 'type' and its options", where, "launcher: local"))
        return None
    named_in = Path(where.file)
    try:
        base: type = Launcher
        found = resolve("launchers", type_name, base=base, folder=named_in.parent if named_in.is_file() else folder)
    except PluginError as error:
        problems.append(Problem(error.problems[0].message, error.problems[0].where or where, error.problems[0].fix))
        return None
    options: dict[str, Any] = {str(key): value for key, value in written.items() if key != _TYPE} if is_mapping else {}
    launcher_class: type[Launcher] = found.component_class
    model: object = launcher_class.Config
    if not (inspect.isclass(model) and issubclass(model, ComponentConfig)):
        fix = "class Config(ComponentConfig): ..."
        problems.append(Problem(f"the Config of the launcher '{type_name}' is no ComponentConfig", where, fix))
        return None
    try:
        chosen = ChosenLauncher(launcher_class, model.model_validate(options))
    except ValidationError as error:
        problems.extend(problems_of(error, document.with_data(options), model, known=(_TYPE,)))
        return None
    return chosen if _is_usable(chosen, document, where, problems) else None


def _is_usable(chosen: ChosenLauncher, document: Document, where: Position, problems: list[Problem]) -> bool:
    try:
        made = chosen.make()
        found = asked(chosen.launcher_class, "check()", lambda: list(made.check()))
    except SandboxError as error:
        problems.extend(replace(problem, where=problem.where or where) for problem in error.problems)
        return False
    problems.extend(Problem(one.message, document.at(one.loc), one.fix, one.severity) for one in found)
    return all(one.severity != "error" for one in found)
