"""The contract of launchers: who runs the tasks of a job, and where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from djsandbox.components.base import Finding
from djsandbox.components.config import ComponentConfig
from djsandbox.components.task import Task
from djsandbox.errors import SandboxError
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment
from djsandbox.process.running import Running, start


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a task, the `number`-th (from 1).

    `log_file` gets its lines; `timeout` is in seconds; `secrets` are texts that must not be shown, wherever they turn up.
    Its processes keep a lock on the file `held` until all have ended, wherever `command` is used: by it the next run sees
    whether those of a run that was killed still write.
    """

    task: Task
    job_id: str
    number: int = 1
    log_file: Path | None = None
    timeout: float | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    held: Path | None = None

    def command(self, *, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = (), grace: float = 10.0) -> Command:
        """The attempt as a command of this machine.

        `env` are variables of the launcher, which win over the task's own; `wrapper` is a program that runs the task's, with
        its first arguments (`nice -n 5`); `grace` is how long it may take to end when it is stopped, in seconds.
        """
        task = self.task
        return Command(
            (*wrapper, *task.argv),
            cwd=None if task.cwd is None else Path(task.cwd),
            env=child_environment({**task.env, **(env or {})}, keep=task.keep_env),
            timeout=self.timeout,
            log_file=self.log_file,
            grace=grace,
            held=self.held,
            hidden=self.secrets,
        )

    def start(self, on_line: Callable[[str], None], **options: Any) -> Running:
        """Start it here, with the options of `command`, under a supervisor that ends its whole process tree.

        Whoever does must call `wait()`, which reads its output and raises SandboxError where it fails or was stopped; `stop()`
        may be called from any thread meanwhile. Raises SandboxError where it cannot be started.
        """
        return start(self.command(**options), on_line)


class AttemptStopped(SandboxError):
    """An attempt did not come to its end because the launcher was told to stop."""


class Launcher(ABC):
    """Runs the tasks of jobs; a plugin registers its own in the group `djsandbox.launchers`.

    It is connected for the time of one job (`with launcher:`). What is tried again, what becomes of the others when one fails,
    which result counts and what is recorded is the engine's business. The class docstring is what `components list` shows. The
    constructor keeps its config and does nothing else.
    """

    Config: ClassVar[type[ComponentConfig]] = ComponentConfig

    def __init__(self, config: ComponentConfig) -> None:
        self.config: Any = config

    def check(self) -> Iterable[Finding]:
        """Whatever can be found wrong with the options before the run, and that the types of `Config` do not say."""
        return ()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.disconnect()

    def connect(self) -> None:  # noqa: B027
        """Get ready to run tasks; does nothing unless overridden."""

    def disconnect(self) -> None:  # noqa: B027
        """Give back what `connect` took, when no attempt runs any more; does nothing unless overridden."""

    @property
    @abstractmethod
    def max_parallel(self) -> int:
        """How many attempts the engine may hand over at once, each from a thread of its own; asked when connected."""

    @property
    def grace(self) -> float:
        """Seconds that attempts may take to end when `stop` is called: the engine gives up waiting for them a little later."""
        return 10.0

    def problem_with(self, task: Task) -> str | None:
        """Why `task` can never be run here ("wants 4 GPUs, there are 2"); None where it can. Asked when connected."""
        return None

    @abstractmethod
    def run(self, attempt: Attempt, on_started: Callable[[], None], on_line: Callable[[str], None]) -> None:
        """Run one attempt to its end, whole process tree included, and return when all of it has ended.

        It waits until what the task needs is free, and then calls `on_started`. `on_line` gets each line of output, without
        secrets, as it comes, in this thread or another; the lines go to `attempt.log_file`, too.

        Raises:
            AttemptStopped: `stop` has ended it, or was called before it could begin.
            SandboxError: It failed: it could not be started, its exit code is not 0, it ran out of time.
        """

    @abstractmethod
    def stop(self, *, at_once: bool = False) -> None:
        """End all attempts that run, from any thread, and let none begin any more until the launcher is connected again.

        Their processes are asked to end and killed after a while, with `at_once` right now. Does not wait for it: `run` does.
        """
