"""What is told of tasks: to the journal first, and then to whoever observes the run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from djsandbox.components.launcher import Attempt
from djsandbox.components.task_outputs import TaskFailed
from djsandbox.engine.session import Session
from djsandbox.journal.tasks import TaskRecord
from djsandbox.plugins.events import Status, TaskEvent
from djsandbox.redact import hide


@dataclass(slots=True)
class Ledger:
    """Journals the tasks of one attempt of a job (`identity`), from any thread, one event after the other."""

    session: Session
    identity: Mapping[str, Any]
    _open: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    _interrupted: set[tuple[str, int]] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def started(self, attempt: Attempt) -> None:
        """An attempt of a task begins."""
        argv = [hide(text, self.session.secrets) for text in attempt.command().shown_argv()]
        with self._lock:
            self._open[attempt.task.name, attempt.number] = attempt
            self._append("task_started", attempt, argv=argv, outputs=list(attempt.task.outputs), log=str(attempt.log_file))
            self._notify("djsandbox_task_started", self._event(attempt, "running"))

    def finished(self, attempt: Attempt, record: TaskRecord) -> None:
        """A task has its outputs."""
        self.session.watcher.flush()
        with self._lock:
            self._open.pop((attempt.task.name, attempt.number), None)
            self.session.journal.append("task_finished", **record.to_fields())
            self.session.history.tasks.add(record)
            self._notify("djsandbox_task_finished", self._event(attempt, "done", record.seconds))

    def reused(self, record: TaskRecord, earlier: TaskRecord) -> None:
        """A task of an earlier run is taken over."""
        with self._lock:
            self.session.journal.append("task_reused", **record.to_fields(), from_run=earlier.run_id)
            self.session.history.tasks.add(record)
            log_file = Path(record.log) if record.log else None
            event = self._event_of(record.task, record.number, "done", record.seconds, log_file)
            self._notify("djsandbox_task_finished", replace(event, reused=True))

    def failed(self, attempt: Attempt, failure: TaskFailed, seconds: float, *, again: bool) -> None:
        """An attempt of a task has failed; with `again` another follows."""
        with self._lock:
            if (attempt.task.name, attempt.number) in self._interrupted:
                return
            self._open.pop((attempt.task.name, attempt.number), None)
            failure.rewrite(lambda text: hide(text, self.session.secrets))
            self._append("task_failed", attempt, error=str(failure), seconds=seconds, again=again)
            self._notify("djsandbox_task_finished", self._event(attempt, "failed", seconds))

    def interrupted(self, attempt: Attempt, reason: str) -> None:
        """An attempt that ran is stopped before its end, or is about to be; does nothing where that is known."""
        with self._lock:
            if self._open.pop((attempt.task.name, attempt.number), None) is None:
                return
            self._interrupted.add((attempt.task.name, attempt.number))
            self._append("task_interrupted", attempt, reason=reason)
            self._notify("djsandbox_task_finished", self._event(attempt, "interrupted"))

    def interrupt_all(self, reason: str) -> None:
        """All that run are about to be stopped, and it may be that nobody will be there to tell how they ended."""
        with self._lock:
            for attempt in list(self._open.values()):
                self.interrupted(attempt, reason)

    def _append(self, event: str, attempt: Attempt, **fields: Any) -> None:
        self.session.journal.append(event, **self.identity, task=attempt.task.name, number=attempt.number, **fields)

    def _notify(self, hook_name: str, event: TaskEvent) -> None:
        self.session.manager.notify(hook_name, task=event)

    def _event(self, attempt: Attempt, status: Status, seconds: float | None = None) -> TaskEvent:
        return self._event_of(attempt.task.name, attempt.number, status, seconds, attempt.log_file)

    def _event_of(self, name: str, number: int, status: Status, seconds: float | None, log_file: Path | None) -> TaskEvent:
        job_id, iteration = self.identity["job_id"], self.identity["iteration"]
        return TaskEvent(f"{job_id}/{name}", job_id, name, iteration, number, status, seconds=seconds, log_file=log_file)
