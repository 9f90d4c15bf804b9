"""One run at a time in a work_dir."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import weakref
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from djsandbox.errors import ConfigError

LOCK_FILE = ".lock"
_NO_FLOCK = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_held: weakref.WeakSet[WorkDirLock] = weakref.WeakSet()
_logger = logging.getLogger("djsandbox.journal")


class WorkDirLock:
    """Context manager that keeps other runs out of `work_dir`, which it creates.

    The kernel gives the lock back when the process ends, however it ends, and no child process keeps it alive. Raises
    ConfigError where another run has the work_dir, or where it cannot be written. Where the file system knows no flock,
    a warning says so and the run goes on.
    """

    def __init__(self, work_dir: str | Path) -> None:
        self.work_dir = Path(work_dir)
        self.path = self.work_dir / LOCK_FILE
        self._fd: int | None = None

    def __enter__(self) -> Self:
        _close_in_forked_children()
        while self._fd is None:
            fd = self._open()
            try:
                self._lock(fd)
                if self._is_current(fd):
                    self._note(fd, {"pid": os.getpid(), "host": socket.gethostname(), "started": _now()})
                    self._fd = fd
            finally:
                if self._fd is None:
                    os.close(fd)
        _held.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._fd is not None:
            self._note(self._fd, None)
            with contextlib.suppress(OSError):  # where there is no flock
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.abandon()

    def abandon(self) -> None:
        """Close the lock file and nothing else: in a forked child, where unlocking would unlock the parent, too."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            _held.discard(self)

    def _open(self) -> int:
        try:
            self.work_dir.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise ConfigError(
                f"cannot write to the work_dir '{self.work_dir}': {error.strerror}", fix="choose another one with --work_dir"
            ) from error

    def _lock(self, fd: int) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"the work_dir '{self.work_dir}' is in use by {_holder(fd)}",
                fix="wait until that run has ended; a run beside it needs another --work_dir and other output paths",
            ) from None
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            _logger.warning(
                "the file system of the work_dir '%s' cannot lock files (%s): see to it yourself that no second run uses it",
                self.work_dir,
                error.strerror,
            )

    def _is_current(self, fd: int) -> bool:
        # Somebody may have deleted the file between our opening and our locking it; a lock on that one excludes nobody.
        try:
            return os.path.samestat(os.fstat(fd), self.path.stat())
        except FileNotFoundError:
            return False

    @staticmethod
    def _note(fd: int, holder: dict[str, Any] | None) -> None:
        with contextlib.suppress(OSError):  # only what an error message would say
            os.ftruncate(fd, 0)
            if holder is not None:
                os.pwrite(fd, json.dumps(holder).encode() + b"\n", 0)


def _holder(fd: int) -> str:
    try:
        noted = json.loads(os.pread(fd, 4096, 0))
        return f"process {noted['pid']} on {noted['host']}, running since {noted['started']}"
    except (ValueError, KeyError, TypeError):
        return "another run"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def _close_in_forked_children() -> None:
    # An exec closes the file by itself; a plain fork (multiprocessing) would hold the lock after its parent's death.
    os.register_at_fork(after_in_child=_abandon_all)


def _abandon_all() -> None:
    for lock in list(_held):
        lock.abandon()
