"""Running the tasks of a job side by side: tried again where they fail, stopped where they must."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from djsandbox.components.launcher import Attempt, AttemptStopped, Launcher
from djsandbox.components.task import Task, TaskPolicy
from djsandbox.components.task_outputs import ExpectedOutputs, TaskFailed
from djsandbox.components.task_runner import KEPT_LINES, TaskWork
from djsandbox.engine.launching.failures import tasks_failed
from djsandbox.engine.launching.ledger import Ledger
from djsandbox.engine.launching.workers import Workers
from djsandbox.errors import Evidence, SandboxError

_INTERRUPTED = "the run was interrupted"


@dataclass(slots=True)
class Entry:
    """A task on its way; `failure` is set where it has failed for good, `is_done` where `result` is its result."""

    task: Task
    result: Any = None
    is_done: bool = False
    failure: TaskFailed | None = None
    has_begun: bool = False


@dataclass(slots=True)
class Pool:
    """Hands tasks to a connected launcher, from as many threads as that takes, and waits for them in the calling one.

    `attempt_of` makes the attempt of a task, `work_of` what its component does for it, and `finish` is called with an attempt
    that has succeeded and the seconds it took.
    """

    launcher: Launcher
    policy: TaskPolicy
    ledger: Ledger
    attempt_of: Callable[[Task, int], Attempt]
    work_of: Callable[[Attempt], TaskWork]
    finish: Callable[[Attempt, float], None]
    log: Callable[..., None]
    _waiting: deque[Entry] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped_because: str | None = None

    def run(self, tasks: Sequence[Task]) -> list[Any]:
        """The results of all tasks, in their order; an error that names all that failed where one did.

        When something comes between (Ctrl-C), what runs is journalled as interrupted and told to end, and has ended when that
        passes on; a launcher that takes longer than its grace is not waited for.
        """
        entries = [Entry(task) for task in tasks]
        self._waiting.extend(entries)
        count = max(1, min(self.launcher.max_parallel, len(entries)))
        workers = Workers(self._work, count)
        try:
            workers.run()
        except BaseException:
            self.ledger.interrupt_all(_INTERRUPTED)
            self._stop(_INTERRUPTED)
            workers.dismiss()
            raise
        if not all(entry.is_done for entry in entries):
            raise tasks_failed(
                [entry.failure for entry in entries if entry.failure is not None],
                stopped=[entry.task.name for entry in entries if entry.has_begun and not entry.is_done and not entry.failure],
                not_begun=[entry.task.name for entry in entries if not entry.has_begun and not entry.failure],
            )
        return [entry.result for entry in entries]

    def _stop(self, reason: str) -> None:
        """Let no task begin any more, and end those that run."""
        with self._lock:
            self._stopped_because = self._stopped_because or reason
        self.launcher.stop()

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            try:
                self._settle(entry)
            except BaseException as error:  # there is nobody above who would see it
                entry.failure = _failure(entry.task, error)
                self.log("task '%s' could not be carried to its end", entry.task.name, exc_info=error)
                self._stop(f"task '{entry.task.name}' failed")

    def _next(self) -> Entry | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting and self._stopped_because is None else None

    def _settle(self, entry: Entry) -> None:
        """Try a task as often as it may be tried."""
        for number in range(1, self.policy.retries + 2):
            attempt = self.attempt_of(entry.task, number)
            lines: deque[str] = deque(maxlen=KEPT_LINES)
            began = time.monotonic()
            try:
                entry.result = self._attempt(entry, attempt, lines)
                self.finish(attempt, round(time.monotonic() - began, 3))
                entry.is_done = True
                return
            except AttemptStopped:
                self.ledger.interrupted(attempt, self._stopped_because or "it was stopped")
                return
            except BaseException as error:
                failure = _failure(entry.task, error)
                failure.evidence = failure.evidence or (_evidence(attempt, lines, failure),)
                if not isinstance(error, SandboxError):
                    self.log("task '%s' failed", entry.task.name, exc_info=error)
            again = number <= self.policy.retries and self._stopped_because is None
            self.log("%s%s", failure, "; it is tried again" if again else "")
            self.ledger.failed(attempt, failure, round(time.monotonic() - began, 3), again=again)
            if not again:
                entry.failure = failure
                if self.policy.on_failure == "stop":
                    self._stop(f"task '{entry.task.name}' failed")
                return

    def _attempt(self, entry: Entry, attempt: Attempt, lines: deque[str]) -> Any:
        expected = ExpectedOutputs(entry.task)
        work = self.work_of(attempt)

        def on_started() -> None:
            entry.has_begun = True
            self.ledger.started(attempt)

        def on_line(line: str) -> None:
            lines.append(line)
            work.on_line(line)

        self.launcher.run(attempt, on_started, on_line)
        problem = expected.problem()
        if problem is None:
            try:
                return work.read()
            except Exception as error:
                reason = error.problems[0] if isinstance(error, SandboxError) else f"{type(error).__name__}: {error}"
                self.log("the result of task '%s' cannot be read", entry.task.name, exc_info=error)
                problem = f"its result cannot be read: {reason}"
        raise TaskFailed.unproven(entry.task.name, problem, list(lines), attempt.log_file)


def _failure(task: Task, error: BaseException) -> TaskFailed:
    if isinstance(error, TaskFailed):
        return error
    if isinstance(error, SandboxError):
        return TaskFailed.of(task.name, error)
    return TaskFailed(task.name, f"{type(error).__name__}: {error}")


def _evidence(attempt: Attempt, lines: Iterable[str], failure: TaskFailed) -> Evidence:
    """For failures that bring none of their own: those of other launchers, and errors that nobody expected."""
    log = str(attempt.log_file) if attempt.log_file else None
    return Evidence(log, (*lines, *failure.problems[0].message.splitlines()), f"task '{failure.name}'")
