"""The watcher of a task that is taken over: what it recorded when it ran counts already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.components.context import Watcher


@dataclass(frozen=True, slots=True)
class UnrecordedWatcher:
    """Answers as `watcher` does, and records nothing."""

    watcher: Watcher

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        """Does nothing."""

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        """Does nothing."""

    def query(self, meta_name: str) -> Any:
        """The latest value recorded under `meta_name`."""
        return self.watcher.query(meta_name)
