"""One process at a time: a lock that waits, and a look at whether somebody is at work."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_held: weakref.WeakSet[FileLock] = weakref.WeakSet()
_logger = logging.getLogger("djsandbox.envs")


class FileLock:
    """Context manager that holds `path`, waiting for whoever has it; `what` is what the log says is being waited for.

    The kernel gives the lock back when its process ends, however it ends. The file stays: a lock on a file that somebody
    deletes excludes nobody. Where the file system knows no locks, a warning says so.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._what = what
        self._fd = -1

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try(self._fd, fcntl.LOCK_EX):
                holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "another process"
                _logger.info("waiting for %s, which process %s is making", self._what, holder)
                fcntl.flock(self._fd, fcntl.LOCK_EX)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(self._fd)
            raise
        _close_in_forked_children()
        _held.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
                fcntl.flock(self._fd, fcntl.LOCK_UN)  # also where a forked child has the file open
            self.abandon()

    def abandon(self) -> None:
        """Close the file and nothing else: in a forked child, which would hold the lock when we are dead."""
        _held.discard(self)
        os.close(self._fd)
        self._fd = -1


@cache
def _close_in_forked_children() -> None:
    os.register_at_fork(after_in_child=_abandon_all)


def _abandon_all() -> None:
    for lock in list(_held):
        lock.abandon()


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the file at `path` together with others while open, so that nobody has it alone.

    Waits for whoever has: `is_held` does for a moment, and nobody else has a file alone that is held like this.
    """
    fd = hold(path)
    try:
        yield
    finally:
        os.close(fd)


def hold(path: Path) -> int:
    """A file descriptor that holds the file at `path` as `shared` does, until it is closed."""
    fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)  # also where others made it and we may only read
    try:
        if not _try(fd, fcntl.LOCK_SH):
            fcntl.flock(fd, fcntl.LOCK_SH)
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_held(path: Path) -> bool:
    """Whether somebody has a lock on the file at `path`; whoever asks at the same moment may count as somebody."""
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _logger.warning("the file system of the environments cannot lock files (%s): make them one at a time", error.strerror)
    return True
