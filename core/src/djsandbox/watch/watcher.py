"""The sandbox's watcher: records every metric in the work_dir, answers queries, tells observers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from djsandbox.config.include import read_mapping
from djsandbox.errors import SandboxError
from djsandbox.journal.keys import content_key
from djsandbox.journal.lines import JsonLines
from djsandbox.journal.values import decode, encode
from djsandbox.redact import hide_in, redact
from djsandbox.watch.bound import BoundWatcher, Source
from djsandbox.watch.parts import flatten, split
from djsandbox.watch.record import METRICS_FILE, Metric, Table, View, metric_fields, metric_of, table_fields, table_of

_NOBODY = Source()


class SandboxWatcher:
    """The record `<work_dir>/metrics.jsonl`, written line by line and read back by whoever opens it next.

    During a run (`start`) a query sees what this run recorded and what it adopted from earlier ones. Opened without one, it
    sees the whole last run, and what that records meanwhile. May be used from any thread. `notify` is called with
    `djsandbox_metrics_logged`, `djsandbox_table_logged` and `djsandbox_config_logged` and their arguments, after the line is
    written. `secrets` are hidden in all texts that are recorded.
    """

    def __init__(
        self, work_dir: str | Path, *, notify: Callable[..., None] | None = None, secrets: Collection[str] = ()
    ) -> None:
        self.path = Path(work_dir) / METRICS_FILE
        self._secrets = frozenset(secrets)
        self._lines = JsonLines(self.path)
        self._notify = notify
        self._guard = threading.RLock()
        self._run: str | None = None
        self._view = View()
        self._read: tuple[int, int] | None = None
        """Size and mtime of the file that the view holds all of, if it does."""

    # -- the guide's methods -------------------------------------------------------------------------------------------

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        """Record `res`: a value, or a nested mapping, data frame or series of values, whose keys follow `meta_name`, dotted."""
        self.log(_NOBODY, res, meta_name, step)

    def query(self, meta_name: str) -> Any:
        """The latest value of that name, else the nested mapping of all values whose names begin with it, else None."""
        with self._guard:
            self._refresh()
            return self._view.value(meta_name)

    def answer_digest(self, name: str, job_id: str) -> str:
        """A short digest of what `query` gives, but for what the job `job_id` itself recorded."""
        with self._guard:
            self._refresh()
            return content_key({"answer": encode(self._view.value(name, but_of=job_id), name=name)})[:16]

    def watch_cfgs(self, cfgs: Iterable[tuple[Any, str]]) -> None:
        """Record configs (mappings, models or namespaces; None is skipped), each with its prefix; secrets become `***`."""
        self.log_configs(_NOBODY, cfgs)

    def setup_sweep(self, hpo_config: Mapping[str, Any] | str | Path, project_name: str = "") -> str:
        """Begin a sweep: record `hpo_config`, the content of a sweep file or its path, and return the sweep's id.

        The engine does this once, before the first trial of a config with `hpo_config`.
        """
        content = hpo_config if isinstance(hpo_config, Mapping) else read_mapping(Path(hpo_config)).data
        self.watch_cfgs([(content, "sweep")])
        digest = content_key({"sweep": encode(content, name="sweep")})[-8:]
        return self._run or f"{project_name or 'sweep'}-{digest}"

    # -- the run -------------------------------------------------------------------------------------------------------

    def start(self, run_id: str) -> None:
        """Begin a run: queries see nothing of earlier ones from here on."""
        with self._guard:
            self._run = run_id
            self._append({"kind": "run", "run": run_id})

    def bind(self, job_id: str, meta_name: str, attempt: str, run_id: str, iteration: int) -> BoundWatcher:
        """The watcher for one attempt of a job; it begins the run if that has not begun when it first records something."""
        return BoundWatcher(self, Source(job_id, attempt, run_id, iteration), meta_name)

    def adopt(self, attempt: str) -> None:
        """Let metrics and tables of an earlier attempt, whose result is reused, count as recorded now.

        Without a run this changes only what this object sees: a plan writes nothing. Observers are not told.
        """
        with self._guard:
            self._load()
            if not self._view.has(attempt):
                return
            line = {"kind": "adopted", "run": self._run, "attempt": attempt}
            if self._run is None:
                self._view.apply(line)
            else:
                self._append(line)

    def recorded_in(self, attempt: str) -> list[Mapping[str, Any]]:
        """The lines of an attempt, for another work_dir to take over."""
        with self._guard:
            self._load()
            return self._view.lines(attempt)

    def take_over(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Record what an attempt in another work_dir recorded, whose result is reused; observers are not told."""
        with self._guard:
            for line in lines:
                self._append({**line, "run": self._run})

    def retry_task(self, source: Source) -> None:
        """Begin another try of a task: what its earlier ones recorded led to nothing, and counts no more."""
        with self._guard:
            self._append({"kind": "task_retried", "run": self._run, "attempt": source.attempt, "task": source.task})

    def adopt_task(self, source: Source, earlier_attempt: str) -> None:
        """Let what a task recorded in an earlier attempt of its job count as recorded now, by the `source` that takes it over.

        Observers are not told.
        """
        with self._guard:
            self._load()
            if self._view.has_task(earlier_attempt, source.task, source.number):
                self._append(
                    {"kind": "task_adopted", "run": self._run, "attempt": source.attempt, "from": earlier_attempt,
                     "task": source.task, "try": source.number}
                )  # fmt: skip

    def flush(self) -> None:
        """Bring the record to disk, so that a power cut takes nothing of it either."""
        self._lines.sync()

    # -- looking back --------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all values that `query` gives."""
        with self._guard:
            self._refresh()
            return self._view.names()

    def history(self, name: str) -> list[tuple[int | None, Any]]:
        """All values of that very name in this run, each with its step (None where it had none), oldest first."""
        with self._guard:
            self._refresh()
            return self._view.history(name)

    def tables(self) -> list[Table]:
        """The tables of this run in the order of their recording."""
        with self._guard:
            self._refresh()
            return self._view.tables

    def configs(self) -> dict[str, Any]:
        """The configs of this run by prefix, as recorded."""
        with self._guard:
            self._refresh()
            return dict(self._view.configs)

    # -- recording -----------------------------------------------------------------------------------------------------

    def log(self, source: Source, res: Any, name: str, step: int | None) -> None:
        """Record `res` under `name` for `source`: all of it, or, where a value cannot be recorded (SandboxError), nothing."""
        values = list(flatten(res, split(name)))
        if any(not parts for parts, _ in values):
            raise SandboxError("a single value cannot be recorded without a name", fix="watch(value, 'name')")
        step = None if step is None else int(step)
        for fields in [metric_fields(Metric(parts, value, step, source.job_id, source.task)) for parts, value in values]:
            metric = metric_of(self._write(source, fields))
            self._tell(
                "djsandbox_metrics_logged",
                name=metric.name, value=metric.value, job_id=source.job_id, step=metric.step, task=source.task,
            )  # fmt: skip

    def log_configs(self, source: Source, cfgs: Iterable[tuple[Any, str]]) -> None:
        """Record configs for `source`, as `watch_cfgs` does."""
        for cfg, prefix in cfgs:
            if cfg is not None:
                fields = {"kind": "config", "name": prefix, "value": encode(redact(_plain(cfg)), name=prefix)}
                written = self._write(source, fields)
                self._tell("djsandbox_config_logged", name=prefix, config=decode(written["value"]))

    def log_table(
        self, source: Source, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str]
    ) -> None:
        """Record a table for `source`. Raises SandboxError where a row has not one cell a column."""
        for number, row in enumerate(rows, start=1):
            if len(row) != len(columns):
                message = f"row {number} of the table '{title}' has {len(row)} cells, but there are {len(columns)} columns"
                raise SandboxError(message, fix="give each row one cell a column")
        table = table_of(self._write(source, table_fields(title, columns, rows, notes)))
        self._tell(
            "djsandbox_table_logged",
            title=table.title, columns=table.columns, rows=table.rows, notes=table.notes, job_id=source.job_id,
            task=source.task,
        )  # fmt: skip

    def _write(self, source: Source, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._guard:
            if source.run_id and source.run_id != self._run:
                self.start(source.run_id)
            self._refresh()
            task = {"task": source.task, "try": source.number} if source.task else {}
            return self._append(
                {
                    "run": self._run,
                    "job": source.job_id,
                    "attempt": source.attempt,
                    "iteration": source.iteration,
                    **task,
                    **hide_in(fields, self._secrets),
                }
            )

    def _append(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        line = {"kind": fields["kind"], **fields, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        whole = self._read is not None and self._read == self._extent()
        self._lines.append(line, durable=False)
        self._view.apply(line)
        self._read = self._extent() if whole else None
        return line

    def _tell(self, hook_name: str, **arguments: Any) -> None:
        if self._notify is not None:
            self._notify(hook_name, **arguments)

    def _refresh(self) -> None:
        if self._run is None:
            self._load()

    def _load(self) -> None:
        """Read the record, unless the view has all of it; lines that were only adopted in memory are then forgotten."""
        extent = self._extent()
        if self._read == extent:
            return
        self._view = View()
        for line in self._lines.read():
            self._view.apply(line)
        self._read = extent

    def _extent(self) -> tuple[int, int]:
        try:
            info = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        return info.st_size, info.st_mtime_ns


def _plain(cfg: Any) -> Any:
    if isinstance(cfg, Mapping):
        return cfg
    dump = getattr(cfg, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if hasattr(cfg, "__dict__"):
        return {key: _plain(value) if type(value) is type(cfg) else value for key, value in vars(cfg).items()}
    raise SandboxError(f"a {type(cfg).__name__} is not a config", fix="pass a mapping")
