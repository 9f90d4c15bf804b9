"""Who runs a component's tasks: the engine during a run, and one task after the other where there is no engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from djsandbox.components.context import JobContext
from djsandbox.components.launcher import Attempt
from djsandbox.components.task import Task, TaskPolicy
from djsandbox.components.task_outputs import ExpectedOutputs, TaskFailed
from djsandbox.errors import SandboxError

KEPT_LINES = 50


@dataclass(frozen=True, slots=True)
class TaskWork:
    """What a component does for one of its tasks: `on_line` takes a line of its output, `read` gives its result."""

    on_line: Callable[[str], None]
    read: Callable[[], Any]


Begin = Callable[[Task, JobContext], TaskWork]
"""Called once a task, with the task's own context."""


class TaskRunner(Protocol):
    """Runs tasks to their end; in a run, `JobContext.tasks` is the engine's."""

    def run(self, tasks: Iterable[Task], begin: Begin, policy: TaskPolicy) -> list[Any]:
        """The results of all tasks, in their order; raises where one fails, and then there are none."""


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Runs tasks outside of a run: in order, here, with what is free; nothing is recorded, and no GPUs are handed out."""

    context: JobContext

    def run(self, tasks: Iterable[Task], begin: Begin, policy: TaskPolicy) -> list[Any]:
        """The results of all tasks, in their order; TaskFailed with the first that fails."""
        return [self._result(task, begin, policy) for task in tasks]

    def _result(self, task: Task, begin: Begin, policy: TaskPolicy) -> Any:
        work = begin(task, replace(self.context, task=task.name))
        for number in range(1, policy.retries + 2):
            try:
                return self._attempt(task, number, work, policy.timeout)
            except TaskFailed:
                if number > policy.retries:
                    raise
        raise AssertionError("unreachable")

    def _attempt(self, task: Task, number: int, work: TaskWork, timeout: float | None) -> Any:
        lines: deque[str] = deque(maxlen=KEPT_LINES)
        attempt = Attempt(task, self.context.job_id, number, timeout=timeout if task.timeout is None else task.timeout)

        def see(line: str) -> None:
            lines.append(line)
            work.on_line(line)

        try:
            expected = ExpectedOutputs(task)
            attempt.start(see).wait()
        except SandboxError as error:
            raise TaskFailed.of(task.name, error) from error
        problem = expected.problem()
        if problem is not None:
            raise TaskFailed.unproven(task.name, problem, tuple(lines), None)
        try:
            return work.read()
        except SandboxError as error:
            raise TaskFailed.of(task.name, error) from error
