"""What the journal knows of the tasks of jobs: which have finished, and need not be repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNSETTLED = "unsettled "
"""How the key of a job begins whose inputs changed while it ran: nothing is known of what it read."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task that has succeeded: the fields of the events `task_finished` and `task_reused`.

    `key` is the content key of its job and `attempt` that of the job which has its metrics; `definition` is a digest of what
    it was told to do, `number` the try that succeeded, `files` maps each file that it wrote to its fingerprint, and `outputs`
    are the paths that it was to write (none in journals of earlier versions).
    """

    run_id: str
    iteration: int
    job_id: str
    attempt: str
    key: str
    task: str
    definition: str
    number: int
    files: dict[str, str]
    seconds: float
    log: str | None = None
    outputs: list[str] = dataclasses.field(default_factory=list)

    def to_fields(self) -> dict[str, Any]:
        """The fields of the event."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> TaskRecord | None:
        """The record in an event; None where something is missing: the task is then only repeated."""
        return cls(**{name: event[name] for name in _FIELDS & event.keys()}) if event.keys() >= _REQUIRED else None


_FIELDS = {item.name for item in dataclasses.fields(TaskRecord)}
_REQUIRED = _FIELDS - {"log", "outputs"}


class FinishedTasks:
    """The newest success of each task, by job, iteration and content key."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, str], dict[str, TaskRecord]] = {}

    def add(self, record: TaskRecord) -> None:
        """Take in a task that has just been journalled."""
        self._found.setdefault((record.job_id, record.iteration, record.key), {})[record.task] = record

    def of(self, job_id: str, iteration: int, key: str) -> dict[str, TaskRecord]:
        """Task name -> record, of this very job in this iteration with this content key."""
        return dict(self._found.get((job_id, iteration, key), {}))

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in an event of the journal, of whatever kind."""
        if event["event"] in ("task_finished", "task_reused"):
            record = TaskRecord.from_event(event)
            if record is not None:
                self.add(record)
        elif event["event"] == "job_finished" and str(event.get("key")).startswith(UNSETTLED):
            for place, records in self._found.items():
                if place[0] == event.get("job_id"):
                    self._found[place] = {
                        name: record for name, record in records.items() if record.attempt != event.get("attempt")
                    }
