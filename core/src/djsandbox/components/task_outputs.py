"""Whether a task has done its work: its outputs are there, and it is this task that wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from djsandbox.components.task import Task
from djsandbox.errors import ComponentError, SandboxError
from djsandbox.journal.fingerprint import snapshot
from djsandbox.process.failures import last_words


class ExpectedOutputs:
    """The outputs of a task, as they were before its first attempt; makes the folders that they go to."""

    def __init__(self, task: Task) -> None:
        for path in task.outputs:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._before = {path: snapshot(path) for path in task.outputs}

    def problem(self) -> str | None:
        """What is wrong with them now; None where the task has written all of them."""
        for path, before in self._before.items():
            now = snapshot(path)
            if not now:
                return f"it did not write its output '{path}'"
            if now == before:
                return f"its output '{path}' is an old one, which it has not written again"
        return None


class TaskFailed(ComponentError):
    """A task did not succeed; `name` is the task's."""

    def __init__(self, name: str, reason: str, fix: str | None = None) -> None:
        self.name = name
        super().__init__(f"task '{name}' failed: {reason}", fix=fix)

    @classmethod
    def of(cls, name: str, error: SandboxError) -> TaskFailed:
        """The same as what ended its process."""
        problem = error.problems[0]
        return cls(name, f"{problem.where}: {problem.message}" if problem.where else problem.message, problem.fix)

    @classmethod
    def unproven(cls, name: str, problem: str, lines: Sequence[str], log_file: object) -> TaskFailed:
        """The process ended well, but what it should have made is missing, old or unreadable."""
        fix = f"full log: {log_file}" if log_file else None
        return cls(name, f"its process ended well, but {problem}{last_words(lines)}", fix)
