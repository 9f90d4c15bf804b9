"""The lines of `metrics.jsonl`, and what they mean when read in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.journal.values import decode, encode
from djsandbox.watch.parts import Parts, below, nest, split

METRICS_FILE = "metrics.jsonl"

_Owner = tuple[str, str]
"""The attempt of a job, and the task in it, "" for the job itself."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: one cell a column in each of `rows`, `notes` as lines below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...]
    job_id: str
    task: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A single value as it was recorded; its name is `parts` joined by dots, `task` the one that recorded it, if it was one."""

    parts: Parts
    value: Any
    step: int | None
    job_id: str
    task: str = ""

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
    return Metric(parts, decode(line["value"]), line["step"], line["job"], line.get("task", ""))


def table_of(line: Mapping[str, Any]) -> Table:
    """The table in a line."""
    value = decode(line["value"])
    columns, rows, notes = tuple(value["columns"]), tuple(map(tuple, value["rows"])), tuple(value["notes"])
    return Table(line["name"], columns, rows, notes, line["job"], line.get("task", ""))


class View:
    """What the lines read so far say about the run they end with.

    A job's newest attempt replaces what its earlier ones recorded, in `value`: an iteration must not see what only the one
    before it measured. `history` and `tables` keep all of the run, each attempt once. Of a task that was tried again they, too,
    keep its newest try only: what the others recorded led to nothing.
    """

    def __init__(self) -> None:
        self.configs: dict[str, Any] = {}
        self._tables: list[tuple[_Owner, Table]] = []
        self._latest: dict[str, Metric] = {}
        self._histories: dict[str, list[tuple[_Owner, int | None, Any]]] = {}
        self._attempts: dict[str, str] = {}
        self._seen: set[str] = set()
        self._archive: dict[str, list[Mapping[str, Any]]] = {}
        self._of_tasks: dict[_Owner, list[Mapping[str, Any]]] = {}

    def apply(self, line: Mapping[str, Any]) -> None:
        """Take in the next line; kinds it does not know are ignored."""
        kind = line.get("kind")
        if kind == "run":
            self._begin()
        elif kind == "adopted":
            again = line["attempt"] in self._seen
            for earlier in self._archive.get(line["attempt"], ()):
                self._show(earlier, again=again)
        elif kind == "task_adopted":
            for earlier in self._lines_of_task((line["from"], line["task"]), line["try"]):
                self._take({**earlier, "attempt": line["attempt"]})
        elif kind == "task_retried":
            self._forget((line["attempt"], line["task"]))
        elif kind in ("metric", "table", "config"):
            self._take(line)

    @property
    def tables(self) -> list[Table]:
        """The tables of the run."""
        return [table for _, table in self._tables]

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

    def names(self) -> list[str]:
        """The names of all values."""
        return sorted(self._latest)

    def history(self, name: str) -> list[tuple[int | None, Any]]:
        """All values called `name`, each with its step, in the order of their recording."""
        return [(step, value) for _, step, value in self._histories.get(name, ())]

    def has_task(self, attempt: str, task: str, number: int) -> bool:
        """Whether a task has recorded anything in that attempt of its job and that try of its own."""
        return bool(self._lines_of_task((attempt, task), number))

    def _lines_of_task(self, owner: _Owner, number: int) -> list[Mapping[str, Any]]:
        return [line for line in self._of_tasks.get(owner, ()) if line["try"] == number]

    def _begin(self) -> None:
        self.configs = {}
        self._latest, self._histories, self._attempts = {}, {}, {}
        self._tables, self._seen = [], set()

    def _take(self, line: Mapping[str, Any]) -> None:
        if line.get("task"):
            self._of_tasks.setdefault((line["attempt"], line["task"]), []).append(line)
        if line["attempt"]:
            self._archive.setdefault(line["attempt"], []).append(line)
        self._show(line)

    def _forget(self, owner: _Owner) -> None:
        """Take out what earlier tries of a task recorded."""
        attempt, task = owner
        gone = self._of_tasks.pop(owner, [])
        if gone:
            self._archive[attempt] = [line for line in self._archive[attempt] if line.get("task") != task]
        self._tables = [item for item in self._tables if item[0] != owner]
        for name in {metric_of(line).name for line in gone if line["kind"] == "metric"}:
            latest = self._latest.get(name)
            if latest is not None and (latest.job_id, latest.task) == (gone[0]["job"], task):  # and nobody else has it since
                del self._latest[name]
            self._histories[name] = [item for item in self._histories.get(name, ()) if item[0] != owner]

    def _show(self, line: Mapping[str, Any], *, again: bool = False) -> None:
        job_id, attempt = line["job"], line["attempt"]
        owner = (attempt, line.get("task", ""))
        self._seen.add(attempt)
        if job_id and self._attempts.get(job_id) != attempt:
            self._attempts[job_id] = attempt
            self._latest = {name: metric for name, metric in self._latest.items() if metric.job_id != job_id}
        if line["kind"] == "metric":
            metric = metric_of(line)
            self._latest[metric.name] = metric
            if not again:
                self._histories.setdefault(metric.name, []).append((owner, metric.step, metric.value))
        elif line["kind"] == "config":
            self.configs[line["name"]] = decode(line["value"])
        elif not again:
            self._tables.append((owner, table_of(line)))
