"""Whether a task has done its work: its outputs are there, and it is this task that wrote them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from djsandbox.components.task import Task
from djsandbox.errors import ComponentError, Evidence, SandboxError
from djsandbox.journal.fingerprint import snapshot
from djsandbox.process.failures import last_words


class ExpectedOutputs:
    """The outputs of a task, as they were before one of its attempts; makes the folders that they go to.

    Each attempt needs its own: what one that failed has left half written is no result of the next.
    """

    def __init__(self, task: Task) -> None:
        self._cwd = task.cwd
        for path in task.outputs:
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                folder = os.path.dirname(path)
                raise ComponentError(f"the folder '{folder}' of its output cannot be made: {error.strerror}") from error
        self._before = {path: snapshot(path) for path in task.outputs}

    def problem(self) -> str | None:
        """What is wrong with them now; None where the task has written all of them."""
        for path, before in self._before.items():
            now = snapshot(path)
            if not now:
                return f"it did not write its output '{path}'{self._hint(path)}"
            if not any(before.get(file) != stamp for file, stamp in now.items()):
                advice = "delete it, or let the program write it anew"
                return f"its output '{path}' is an old one, which it has not written again: {advice}{self._hint(path)}"
        return None

    def _hint(self, path: str) -> str:
        if self._cwd is None or os.path.isabs(path):
            return ""
        return f" (outputs are relative to our own folder, {os.getcwd()}, not to its cwd '{self._cwd}')"


class TaskFailed(ComponentError):
    """A task did not succeed; `name` is the task's."""

    def __init__(self, name: str, reason: str, fix: str | None = None, evidence: Sequence[Evidence] = ()) -> None:
        self.name = name
        super().__init__(f"task '{name}' failed: {reason}", fix=fix)
        self.evidence = tuple(replace(found, whose=f"task '{name}'") for found in evidence)

    @classmethod
    def of(cls, name: str, error: SandboxError) -> TaskFailed:
        """The same as what ended its process."""
        problem = error.problems[0]
        reason = f"{problem.where}: {problem.message}" if problem.where else problem.message
        return cls(name, reason, problem.fix, error.evidence)

    @classmethod
    def unproven(cls, name: str, problem: str, lines: Sequence[str], log_file: Path | None) -> TaskFailed:
        """The process ended well, but what it should have made is missing, old or unreadable."""
        fix = f"full log: {log_file}" if log_file else None
        evidence = Evidence(str(log_file) if log_file else None, (*lines, problem))
        return cls(name, f"its process ended well, but {problem}{last_words(lines)}", fix, (evidence,))
