"""The launcher of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from pydantic import Field

from djsandbox.components.base import Finding
from djsandbox.components.config import ComponentConfig
from djsandbox.components.launcher import Attempt, AttemptStopped, Launcher
from djsandbox.components.task import Task
from djsandbox.engine.launching.devices import VISIBLE, share_of, usable_cpus, visible_gpus
from djsandbox.engine.launching.slots import ClosedError, Slots
from djsandbox.errors import SandboxError
from djsandbox.process.failures import ProcessStopped
from djsandbox.process.running import Running


class LocalLauncher(Launcher):
    """Runs tasks on this machine, as many at once as its CPUs and GPUs allow."""

    class Config(ComponentConfig):
        """Limits of `local`."""

        max_parallel: int | None = Field(default=None, ge=1, strict=True)
        """Tasks at once; by default as many as there are CPUs."""
        cpus: int | None = Field(default=None, ge=1, strict=True)
        """CPUs to share out; by default those that this process may use."""
        gpus: int | None = Field(default=None, ge=0, strict=True)
        """GPUs to share out, the first so many of the visible ones; by default all of them."""
        grace: float = Field(default=10.0, ge=0, allow_inf_nan=False, strict=True)
        """Seconds that a task which is stopped has to end by itself, after SIGTERM, before it is killed."""

    def check(self) -> Iterable[Finding]:
        """Whether there are as many GPUs as it is to share out; where there are none at all, tasks run without."""
        problem = _too_many(share_of(self.config.gpus), visible_gpus()) if self.config.gpus else None
        return [Finding(("gpus",), problem, "lower it")] if problem else []

    def connect(self) -> None:
        """Begin with everything free."""
        self._orders = threading.Lock()
        self._is_stopped = False
        self._running: set[Running] = set()
        self._slots = Slots(self.max_parallel, share_of(self._cpus))
        self._gpus: list[str] | None = None

    @property
    def max_parallel(self) -> int:
        """How many tasks run at once; trials beside each other divide them, as they do with CPUs and GPUs."""
        return share_of(int(self.config.max_parallel or self._cpus))

    @property
    def grace(self) -> float:
        """Seconds between SIGTERM and SIGKILL."""
        return float(self.config.grace)

    def problem_with(self, task: Task) -> str | None:
        """Whether it asks for more than there is; GPUs it does without where there are none at all."""
        if task.cpus > self._cpus:
            return f"it needs {task.cpus} CPUs, and there are {self._cpus} (to share out more than that: launcher.cpus)"
        gpus = self._shared_gpus() if task.gpus else []
        if gpus and task.gpus > len(gpus):
            return f"it needs {task.gpus} GPUs, and these are all there are: {', '.join(gpus)}"
        return None

    def run(self, attempt: Attempt, on_started: Callable[[], None], on_line: Callable[[str], None]) -> None:
        """Run one attempt under a supervisor of its own, with its GPUs in CUDA_VISIBLE_DEVICES."""
        task = attempt.task
        gpus = min(task.gpus, len(self._shared_gpus())) if task.gpus else 0
        try:
            with self._slots.lent(min(task.cpus, share_of(self._cpus)), gpus) as devices:
                on_started()
                self._run(attempt, ",".join(devices), on_line)
        except ClosedError:
            raise AttemptStopped(f"task '{task.name}' was not begun") from None

    def stop(self, *, at_once: bool = False) -> None:
        """End the process trees of all attempts."""
        with self._orders:
            self._is_stopped = True
            running = list(self._running)
        self._slots.close()
        for one in running:
            one.stop(at_once=at_once)

    def _run(self, attempt: Attempt, devices: str, on_line: Callable[[str], None]) -> None:
        with self._orders:  # whoever stops all waits for this one to start: what runs unseen could not be told
            if self._is_stopped:
                raise ClosedError  # before it started
            running = attempt.start(on_line, env={VISIBLE: devices}, grace=self.grace)
            self._running.add(running)
        try:
            running.wait()
        except ProcessStopped as error:
            if self._is_stopped:
                raise AttemptStopped(f"task '{attempt.task.name}' was stopped") from error
            raise
        finally:
            with self._orders:
                self._running.discard(running)

    @cached_property
    def _cpus(self) -> int:
        return int(self.config.cpus or usable_cpus())

    def _shared_gpus(self) -> list[str]:
        """Looked for only where a task wants some: finding out takes seconds on some machines."""
        with self._orders:
            if self._gpus is None:
                self._gpus = _first(None if self.config.gpus is None else share_of(self.config.gpus))
                self._slots.add_gpus(self._gpus)
            return self._gpus


def _first(wanted: int | None) -> list[str]:
    """The first so many of the visible GPUs; where none is visible, none."""
    found = [] if wanted == 0 else visible_gpus()
    problem = _too_many(wanted, found)
    if problem is not None:
        raise SandboxError(problem, fix="lower its 'gpus'")
    return found[:wanted]


def _too_many(wanted: int | None, found: Sequence[str]) -> str | None:
    if wanted is None or not found or wanted <= len(found):
        return None
    return f"the launcher is to share out {wanted} GPUs, and there are {len(found)}"
