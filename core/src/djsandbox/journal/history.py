"""What the journal knows: which jobs have results, and how each run went."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from djsandbox.errors import SandboxError
from djsandbox.journal.tasks import FinishedTasks


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job that has its results: the fields of the events `job_finished` and `job_reused`.

    `outputs` are encoded (`values.encode`); `files` maps each path the job wrote, as it wrote it, to its fingerprint;
    `attempt` names the one execution (folders, metrics); `where` is the place in the user's config. `placed` maps the
    config's output fields to the paths they had, and `ingredients` each ingredient of the key to a digest, to tell later what
    changed. `queries` maps what the job asked the watcher to a digest of the answer, `variables` the environment variables
    that its tasks were given to digests of their values.
    """

    run_id: str
    iteration: int
    job_id: str
    meta_name: str
    key: str
    attempt: str
    deterministic: bool
    outputs: dict[str, Any]
    files: dict[str, str]
    seconds: float
    where: str | None = None
    placed: dict[str, str] = field(default_factory=dict)
    ingredients: dict[str, str] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def to_fields(self) -> dict[str, Any]:
        """The fields of the event."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> JobRecord:
        """The record in an event; fields it does not know are ignored. SandboxError where one is missing."""
        missing = sorted(_REQUIRED - event.keys())
        if missing:
            raise SandboxError(f"the journal's event '{event.get('event')}' of {event.get('time')} lacks {', '.join(missing)}")
        return cls(**{name: event[name] for name in _FIELDS & event.keys()})


_FIELDS = {item.name for item in dataclasses.fields(JobRecord)}
_REQUIRED = _FIELDS - {"where", "placed", "ingredients", "queries", "variables"}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run of a work_dir.

    `status` is what the run said at its end (finished, failed, interrupted), or killed where it said nothing: it was, or it
    is still running. `counts` has the jobs, by outcome: finished, reused, failed, interrupted, and killed for those that
    have only begun. Times are ISO, UTC.
    """

    run_id: str
    started: str
    status: str
    config_file: str | None
    counts: dict[str, int]
    ended: str | None = None
    iterations: int = 0


_OUTCOMES = {
    "job_finished": "finished",
    "job_reused": "reused",
    "job_failed": "failed",
    "job_interrupted": "interrupted",
}


@dataclass(slots=True)
class _Run:
    started: str
    config_file: str | None
    status: str = "killed"
    ended: str | None = None
    iterations: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_OUTCOMES.values(), 0))
    open_attempts: set[str] = field(default_factory=set)


class History:
    """The finished jobs and the runs in a journal's events; unknown events are ignored."""

    def __init__(self, events: Iterable[Mapping[str, Any]] = ()) -> None:
        self._finished: dict[tuple[str, int, str], JobRecord] = {}
        self._latest: dict[tuple[str, int], JobRecord] = {}
        self._by_key: dict[str, JobRecord] = {}
        self._by_run_and_key: dict[tuple[str, str], JobRecord] = {}
        self._runs: dict[str, _Run] = {}
        self.tasks = FinishedTasks()
        for event in events:
            self._take(event)

    def finished(self, job_id: str, iteration: int, key: str) -> JobRecord | None:
        """The latest result of this very job in this iteration with this content key."""
        return self._finished.get((job_id, iteration, key))

    def latest(self, job_id: str, iteration: int) -> JobRecord | None:
        """The latest result of this job in this iteration, whatever its content key."""
        return self._latest.get((job_id, iteration))

    def same_key(self, key: str, *, run_id: str | None = None) -> JobRecord | None:
        """The latest result of any deterministic job with this content key, in one run if `run_id` is given."""
        return self._by_key.get(key) if run_id is None else self._by_run_and_key.get((run_id, key))

    def add(self, record: JobRecord) -> None:
        """Take in a result that has just been journalled."""
        self._finished[record.job_id, record.iteration, record.key] = record
        self._latest[record.job_id, record.iteration] = record
        if record.deterministic:
            self._by_key[record.key] = record
            self._by_run_and_key[record.run_id, record.key] = record

    def runs(self) -> list[RunSummary]:
        """All runs, oldest first."""
        return [_summary(run_id, run) for run_id, run in self._runs.items()]

    def last_run(self) -> RunSummary | None:
        """The run that started last."""
        return self.runs()[-1] if self._runs else None

    def _take(self, event: Mapping[str, Any]) -> None:
        name, run_id = event["event"], str(event.get("run_id"))
        self.tasks.take(event)
        if name == "run_started":
            self._runs[run_id] = _Run(str(event.get("time")), event.get("config_file"))
        elif name in ("job_finished", "job_reused"):
            self.add(JobRecord.from_event(event))
        run = self._runs.get(run_id)
        if run is None:
            return
        if name == "job_started":
            run.open_attempts.add(str(event.get("attempt")))
        elif name in _OUTCOMES:
            run.counts[_OUTCOMES[name]] += 1
            run.open_attempts.discard(str(event.get("attempt")))
        elif name == "iteration_finished":
            run.iterations += 1
        elif name == "run_finished":
            run.status, run.ended = str(event.get("status", "finished")), event.get("time")


def _summary(run_id: str, run: _Run) -> RunSummary:
    counts = {**run.counts, "killed": len(run.open_attempts)}
    return RunSummary(run_id, run.started, run.status, run.config_file, counts, run.ended, run.iterations)
