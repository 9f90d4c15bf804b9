"""What the lines of metrics.jsonl hold: metrics, tables, configs, and which earlier attempts a run took over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from djsandbox.journal.values import decode


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: rows of cells, and notes below it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    job_id: str = ""


@dataclass(slots=True)
class View:
    """What a query sees: the latest value of each name, the history of each, and the tables."""

    latest: dict[str, Any] = field(default_factory=dict)
    history: dict[str, list[tuple[int | None, Any]]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Add one line of the record."""
        if entry["kind"] == "metric":
            value = decode(entry["value"])
            self.latest.pop(entry["name"], None)
            self.latest[entry["name"]] = value
            self.history.setdefault(entry["name"], []).append((entry.get("step"), value))
        elif entry["kind"] == "table":
            rows = tuple(tuple(decode(cell) for cell in row) for row in entry["rows"])
            self.tables.append(
                Table(entry["title"], tuple(entry["columns"]), rows, tuple(entry["notes"]), entry.get("job", ""))
            )
