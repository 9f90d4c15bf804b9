"""Which launcher a config asks for: found and checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from djsandbox.components.config import ComponentConfig
from djsandbox.components.launcher import Launcher
from djsandbox.config.document import Document
from djsandbox.engine.configured import Kind, configured
from djsandbox.engine.guard import asked
from djsandbox.engine.launching.local import LocalLauncher
from djsandbox.errors import Problem

LAUNCHER_KEY = "launcher"
DEFAULT_TYPE = "local"
_KIND = Kind("launchers", "launcher", Launcher, example=DEFAULT_TYPE, default=DEFAULT_TYPE)


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
    found = configured(document, _KIND, folder, problems)
    return None if found is None else ChosenLauncher(found.found_class, found.config)
