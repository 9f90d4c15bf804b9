"""The lines of `metrics.jsonl`, and what they mean when read in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.journal.values import decode, encode
from djsandbox.watch.parts import Parts, below, nest, split

METRICS_FILE = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: one cell a column in each of `rows`, `notes` as lines below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...]
    job_id: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A single value as it was recorded; its name is `parts` joined by dots."""

    parts: Parts
    value: Any
    step: int | None
    job_id: str

    @property
    def name(self) -> str:
        """The dotted name."""
        return ".".join(self.parts)


def metric_fields(metric: Metric) -> dict[str, Any]:
    """The line of a metric. Raises SandboxError for a value that cannot be recorded."""
    name = metric.name
    # Keys with dots in them are rare ("97.5%"); only then does the name alone not tell the parts.
    parts = {} if split(name) == metric.parts else {"parts": list(metric.parts)}
    return {"kind": "metric", "name": name, **parts, "value": encode(metric.value, name=name), "step": metric.step}


def table_fields(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str]) -> dict[str, Any]:
    """The line of a table. Raises SandboxError for a cell that cannot be recorded."""
    value = {"columns": [str(column) for column in columns], "rows": [list(row) for row in rows], "notes": list(notes)}
    return {"kind": "table", "name": title, "value": encode(value, name=title), "step": None}


def metric_of(line: Mapping[str, Any]) -> Metric:
    """The metric in a line."""
    parts = tuple(line["parts"]) if "parts" in line else split(line["name"])
    return Metric(parts, decode(line["value"]), line["step"], line["job"])


def table_of(line: Mapping[str, Any]) -> Table:
    """The table in a line."""
    value = decode(line["value"])
    return Table(line["name"], tuple(value["columns"]), tuple(map(tuple, value["rows"])), tuple(value["notes"]), line["job"])


class View:
    """What the lines read so far say about the run they end with.

    A job's newest attempt replaces what its earlier ones recorded, in `value`: an iteration must not see what only the one
    before it measured. `history` and `tables` keep all of the run, each attempt once.
    """

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.configs: dict[str, Any] = {}
        self._latest: dict[str, Metric] = {}
        self._histories: dict[str, list[tuple[int | None, Any]]] = {}
        self._attempts: dict[str, str] = {}
        self._seen: set[str] = set()
        self._archive: dict[str, list[Mapping[str, Any]]] = {}

    def apply(self, line: Mapping[str, Any]) -> None:
        """Take in the next line; kinds it does not know are ignored."""
        kind = line.get("kind")
        if kind == "run":
            self._begin()
        elif kind == "config":
            self.configs[line["name"]] = decode(line["value"])
        elif kind == "adopted":
            again = line["attempt"] in self._seen
            for earlier in self._archive.get(line["attempt"], ()):
                self._show(earlier, again=again)
        elif kind in ("metric", "table"):
            if line["attempt"]:
                self._archive.setdefault(line["attempt"], []).append(line)
            self._show(line)

    def has(self, attempt: str) -> bool:
        """Whether an attempt has recorded anything."""
        return attempt in self._archive

    def lines(self, attempt: str) -> list[Mapping[str, Any]]:
        """The lines of an attempt, in order."""
        return list(self._archive.get(attempt, ()))

    def value(self, name: str, but_of: str = "") -> Any:
        """The latest value called `name`, else the mapping of all that is called `name.` and more, else None.

        What the job `but_of` recorded is left out.
        """
        latest = {key: metric for key, metric in self._latest.items() if not but_of or metric.job_id != but_of}
        if name in latest:
            return latest[name].value
        return nest(
            (below(metric.parts, name), metric.value) for key, metric in latest.items() if key.startswith(f"{name}.")
        ) or None  # fmt: skip

    def history(self, name: str) -> list[tuple[int | None, Any]]:
        """All values called `name`, each with its step, in the order of their recording."""
        return list(self._histories.get(name, ()))

    def _begin(self) -> None:
        self.tables, self.configs = [], {}
        self._latest, self._histories, self._attempts = {}, {}, {}
        self._seen = set()

    def _show(self, line: Mapping[str, Any], *, again: bool = False) -> None:
        job_id, attempt = line["job"], line["attempt"]
        self._seen.add(attempt)
        if job_id and self._attempts.get(job_id) != attempt:
            self._attempts[job_id] = attempt
            self._latest = {name: metric for name, metric in self._latest.items() if metric.job_id != job_id}
        if line["kind"] == "metric":
            metric = metric_of(line)
            self._latest[metric.name] = metric
            if not again:
                self._histories.setdefault(metric.name, []).append((metric.step, metric.value))
        elif not again:
            self.tables.append(table_of(line))
