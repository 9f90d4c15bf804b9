"""How a command can fail, told with what is needed to mend it."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Sequence
from typing import ClassVar

from djsandbox.errors import Evidence, SandboxError
from djsandbox.process.command import Command, Completed, shown

_SHOWN_LINES = 20
_LONGEST_SHOWN = 500


class ProcessFailed(SandboxError):
    """A command ended with an exit code other than 0, or by a signal."""

    def __init__(self, completed: Completed, what: str | None = None) -> None:
        self.completed = completed
        what = what or f"{ending(completed.returncode)} after {completed.seconds:.1f} s"
        super().__init__(f"{shown(completed.argv)}: {what}{last_words(completed.last_lines)}", fix=_fix(completed, self))
        self.evidence = (Evidence(str(completed.log_file) if completed.log_file else None, completed.last_lines),)


class ProcessTimedOut(ProcessFailed):
    """A command was stopped because it ran for longer than it may."""

    def __init__(self, completed: Completed, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(completed, f"stopped after its timeout of {timeout:g} s")


class ProcessStopped(ProcessFailed):
    """A command was stopped because somebody asked for it."""

    def __init__(self, completed: Completed) -> None:
        super().__init__(completed, f"stopped on request after {completed.seconds:.1f} s")


class SupervisorLost(ProcessFailed):
    """The supervisor of a command was killed, and the command with it; what that had started may still run."""

    def __init__(self, completed: Completed) -> None:
        super().__init__(completed, "its supervisor was killed, and it with it; processes that it had started may still run")


class ProcessNotStarted(SandboxError):
    """A command could not be started at all; `errno` says why, as the operating system does."""

    _REMEDIES: ClassVar[dict[int, str]] = {
        errno.EACCES: "make the file executable",
        errno.ENOEXEC: "the file is no program: give it a #! line, or name the interpreter to run it with",
        errno.E2BIG: "the arguments and environment are too long: pass them in a file",
    }

    def __init__(self, command: Command, number: int, at: str) -> None:
        self.errno = number
        program = command.argv[0]
        reason = os.strerror(number)
        if at == "cwd":
            message, fix = f"{program} cannot run in {command.cwd}: {reason}", None
        elif number == errno.ENOENT and "/" not in program:
            message, fix = f"{program} was not found on the PATH", f"install {program}, or give its full path"
        else:
            message, fix = f"{program} cannot be started: {reason}", self._REMEDIES.get(number)
        super().__init__(message, fix=fix)


def ending(returncode: int) -> str:
    """How a process ended, in words."""
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"ended by signal {-returncode}"


def last_words(lines: Sequence[str]) -> str:
    """The end of a command's output as a message shows it."""
    kept = [line[:_LONGEST_SHOWN] for line in lines[-_SHOWN_LINES:]]
    return "".join(["; its last lines:", *(f"\n    {line}" for line in kept)]) if kept else "; it wrote nothing"


def _fix(completed: Completed, failure: ProcessFailed) -> str | None:
    parts = []
    if type(failure) is ProcessFailed and completed.returncode == -signal.SIGKILL:
        parts.append("SIGKILL is how the kernel ends what takes too much memory: see dmesg")
    if completed.log_file is not None:
        parts.append(f"full log: {completed.log_file}")
    return "\n    ".join(parts) or None
