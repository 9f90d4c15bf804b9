"""The sandbox's watcher: receives every metric, keeps all of them in the work_dir, and answers queries from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from djsandbox.journal.lines import JsonLines
from djsandbox.journal.values import encode
from djsandbox.redact import redacted
from djsandbox.watch.flatten import leaves, nested
from djsandbox.watch.record import Table, View

RECORD_FILE = "metrics.jsonl"
Notify = Callable[..., None]


class SandboxWatcher:
    """Watches the runs of one work_dir; its record, `metrics.jsonl`, needs no account and no network.

    Opened on a work_dir in which something has run, it answers for the last run. `notify` is told of every metric and table,
    as the plugin manager's `notify` is.
    """

    def __init__(self, work_dir: str | Path, *, notify: Notify | None = None) -> None:
        self._record = JsonLines(Path(work_dir) / RECORD_FILE)
        self._notify = notify
        self._run_id: str | None = None
        self._view: View | None = None
        self._earlier: dict[str, list[Mapping[str, Any]]] | None = None

    def start(self, run_id: str) -> None:
        """Begin a run: from here on, queries see only what it records or takes over."""
        self._run_id = run_id
        self._view = View()
        self._write({"kind": "run"})

    def bind(self, job_id: str, meta_name: str, attempt: str, run_id: str, iteration: int) -> BoundWatcher:
        """The watcher of one job, as components see it."""
        return BoundWatcher(self, job_id, meta_name, {"attempt": attempt, "iteration": iteration, "run": run_id})

    def watch(self, res: Any, meta_name: str = "", step: int | None = None, *, job_id: str = "", **identity: Any) -> None:
        """Record a number, a text, a (nested) mapping of them or a data frame under `meta_name`, at `step` if it has one."""
        for name, value in leaves(res, meta_name):
            entry = {"kind": "metric", "job": job_id, "name": name, "value": encode(value, name=name), "step": step}
            self._write({**entry, **identity})
            self._tell("djsandbox_metrics_logged", name=name, value=value, job_id=job_id, step=step)

    def watch_table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        notes: Sequence[str] = (),
        *,
        job_id: str = "",
        **identity: Any,
    ) -> None:
        """Record a table for people; `rows` have one cell a column."""
        cells = encode([list(row) for row in rows], name=title)
        entry = {"kind": "table", "job": job_id, "title": title, "columns": list(columns), "rows": cells, "notes": list(notes)}
        self._write({**entry, **identity})
        self._tell("djsandbox_table_logged", title=title, columns=columns, rows=rows, notes=notes, job_id=job_id)

    def watch_cfgs(self, cfgs: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        """Record configs, each with a prefix for its name; values that look secret are left out."""
        for config, prefix in cfgs:
            self._write({"kind": "config", "name": prefix, "value": encode(redacted(config), name=prefix)})

    def query(self, meta_name: str) -> Any:
        """The latest value of that name; else, as a mapping, everything below it; else None."""
        latest = self._seen().latest
        return latest[meta_name] if meta_name in latest else nested(latest, meta_name)

    def history(self, name: str) -> list[tuple[int | None, Any]]:
        """All values of `name` with their steps, in the order in which they came."""
        return list(self._seen().history.get(name, ()))

    def tables(self) -> list[Table]:
        """The tables of the run, in order."""
        return list(self._seen().tables)

    def adopt(self, attempt: str) -> None:
        """Take over what an earlier attempt recorded, because its result was taken over."""
        self._write({"kind": "adopted", "attempt": attempt})
        self.look_at(attempt)

    def look_at(self, attempt: str) -> None:
        """Let queries see what an earlier attempt recorded, and write nothing."""
        if self._view is None:
            self._view = View()
        if self._earlier is None:
            self._earlier = _by_attempt(self._record.read(), self._run_id)
        for entry in self._earlier.get(attempt, ()):
            self._view.take(entry)

    def flush(self) -> None:
        """Wait until everything recorded is on the disk."""
        self._record.sync()

    def _seen(self) -> View:
        if self._view is None:
            self._view = _last_run(list(self._record.read()))
        return self._view

    def _write(self, entry: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        whole = {"run": self._run_id, "time": now, **entry}
        self._record.append(whole, durable=False)
        if entry["kind"] in ("metric", "table"):
            self._seen().take(whole)

    def _tell(self, hook_name: str, **arguments: Any) -> None:
        if self._notify is not None:
            self._notify(hook_name, **arguments)


class BoundWatcher:
    """A watcher that knows which job speaks: the `Watcher` that components are given."""

    def __init__(self, watcher: SandboxWatcher, job_id: str, meta_name: str, identity: Mapping[str, Any]) -> None:
        self._watcher = watcher
        self._job_id = job_id
        self._name = meta_name or job_id
        self._identity = dict(identity)

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        """Record `res`; "" stands for the job's own meta_name (its id where it has none)."""
        self._watcher.watch(res, meta_name or self._name, step, job_id=self._job_id, **self._identity)

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        """Record a table for people."""
        self._watcher.watch_table(title, columns, rows, notes, job_id=self._job_id, **self._identity)

    def query(self, meta_name: str) -> Any:
        """The latest value of that name, whichever job recorded it."""
        return self._watcher.query(meta_name)


def _by_attempt(entries: Iterable[Mapping[str, Any]], but_run: str | None) -> dict[str, list[Mapping[str, Any]]]:
    """Metrics and tables by attempt, those of the run `but_run` left out: they are seen already."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry.get("attempt") and entry["run"] != but_run and entry["kind"] in ("metric", "table"):
            found.setdefault(entry["attempt"], []).append(entry)
    return found


def _last_run(entries: Sequence[Mapping[str, Any]]) -> View:
    view = View()
    start = max((at for at, entry in enumerate(entries) if entry["kind"] == "run"), default=0)
    earlier = _by_attempt(entries[:start], None)
    for entry in entries[start:]:
        taken = earlier.get(entry["attempt"], ()) if entry["kind"] == "adopted" else (entry,)
        for item in taken:
            view.take(item)
    return view
