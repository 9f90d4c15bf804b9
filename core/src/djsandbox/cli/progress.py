"""What a run shows while it works: one live line on a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from djsandbox.errors import SandboxError
from djsandbox.plugins.events import JobEvent, TaskEvent
from djsandbox.plugins.hookspecs import hookimpl


class Progress:
    """A plugin that observes a run and writes to the terminal's error stream."""

    def __init__(self, console: Console, total: int | None, *, quiet: bool) -> None:
        self._console = console
        self._total = total
        self._quiet = quiet
        self._count = 0
        self._live: Status | None = None
        self._running = ""
        self._metric = ""
        self._tasks = {"running": 0, "done": 0}
        self._started = 0.0

    @classmethod
    def for_terminal(cls, total: int | None, *, quiet: bool) -> Self:
        """Progress on the process's stderr as it is now: while a job works, what it prints goes to its log instead."""
        return cls(Console(file=_own_stderr(), highlight=False, soft_wrap=True), total, quiet=quiet)

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = self._console.status("")
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        if self._console.file is not sys.stderr:
            self._console.file.close()

    @hookimpl
    def djsandbox_iteration_started(self, iteration: int) -> None:
        """Count the jobs anew, and say so where it is not the first time."""
        self._count = 0
        if iteration > 1:
            self._print(f"iteration {iteration}")

    @hookimpl
    def djsandbox_job_started(self, job: JobEvent) -> None:
        """Say which job works now."""
        self._count += 1
        self._started = time.monotonic()
        self._tasks = dict.fromkeys(self._tasks, 0)
        self._running = f"{self._position()} {_label(job)}"
        self._metric = ""
        self._show()

    @hookimpl
    def djsandbox_task_started(self, task: TaskEvent) -> None:
        """Count the tasks that work now."""
        self._tasks["running"] += 1
        self._show()

    @hookimpl
    def djsandbox_task_finished(self, task: TaskEvent) -> None:
        """Count the tasks that are done, and leave a line for one that failed."""
        self._tasks["running"] -= 0 if task.reused else 1
        self._tasks["done"] += task.status == "done"
        if task.status == "failed":
            self._print(f"{self._position()} task {task.name}: attempt {task.attempt} FAILED, see {task.log_file}", style="red")
        self._show()

    @hookimpl
    def djsandbox_metrics_logged(self, name: str, value: Any) -> None:
        """Show the latest number beside the job that works."""
        if isinstance(value, (int, float)):
            self._metric = f"{name} = {value:.4g}"
            self._show()

    @hookimpl
    def djsandbox_job_finished(self, job: JobEvent) -> None:
        """Leave a line for the job."""
        took = "reused" if job.reused else f"{job.seconds or 0:.1f} s"
        if self._live is not None:
            self._live.update("")
        self._print(f"{self._position()} {_name(job)}: {took}")

    @hookimpl
    def djsandbox_job_failed(self, job: JobEvent, error: SandboxError) -> None:
        """Leave a line for the job that ended the run."""
        self._print(f"{self._position()} {_name(job)}: FAILED", style="bold red")

    @hookimpl
    def djsandbox_notice(self, text: str) -> None:
        """Leave a line for what has to be read."""
        self._print(text)

    def _show(self) -> None:
        if self._live is not None:
            parts = [f"{self._running} ... {time.monotonic() - self._started:.0f} s"]
            if any(self._tasks.values()):
                parts.append(f"{self._tasks['done']} tasks done, {self._tasks['running']} running")
            self._live.update(escape(", ".join(part for part in (*parts, self._metric) if part)))

    def _position(self) -> str:
        if self._total is None:
            return f"[{self._count}]"
        return f"[{self._count:>{len(str(self._total))}}/{self._total}]"

    def _print(self, line: str, style: str | None = None) -> None:
        if not self._quiet:
            self._console.print(line, style=style, markup=False)


def _own_stderr() -> TextIO:
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace", buffering=1)
    except (OSError, ValueError):
        return sys.stderr  # not a file: a notebook, a test


def _label(job: JobEvent) -> str:
    pipeline = "" if job.pipeline == "anonymous" else f"{job.pipeline}."
    return f"{pipeline}{job.meta_name or job.hook}"


def _name(job: JobEvent) -> str:
    kind = f"{job.hook}: {job.type_name}" if job.type_name and job.type_name != "default" else job.hook
    return f"{_label(job)} ({kind})"
