"""Capturing what this process and its children print, C code included, in a log file that shows no secrets."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from io import FileIO
from pathlib import Path
from typing import TextIO

from djsandbox.errors import SandboxError
from djsandbox.process.scrubbing import ScrubbedPipe, scrubbed_pipe, write_all

_PRINTED_TO = (1, 2)
_UNBUFFERED = "PYTHONUNBUFFERED"
_open: list[Capture] = []
"""The captures that are open in this process, the innermost last: file descriptors 1 and 2 belong to all of its threads."""
_own: ContextVar[Capture | None] = ContextVar("capture", default=None)
"""The innermost that was opened around the code that asks; other threads and tasks may have opened others."""
_streams: list[TextIO] = []
_guard = threading.Lock()


class CaptureLost(SandboxError):
    """The process that keeps secrets out of a log was killed again and again: the log is not complete."""


class Capture:
    """A log file while it gets what is printed."""

    def __init__(self, log_file: Path, secrets: Collection[str] = ()) -> None:
        self.log_file = log_file.absolute()
        self.secrets = frozenset(secrets)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            self._file: FileIO = stack.enter_context(self.log_file.open("ab", buffering=0))
            self._pipe: ScrubbedPipe | None = None
            if self.secrets:
                self._pipe = scrubbed_pipe(self._file.fileno(), self.secrets)
            self._opened = stack.pop_all()

    @property
    def target(self) -> FileIO:
        """What to write to."""
        return self._pipe.writing if self._pipe else self._file

    @property
    def is_lost(self) -> bool:
        """Whether what is printed cannot be written any more."""
        return self._pipe is not None and self._pipe.is_lost

    def write(self, text: str) -> None:
        """Write `text` at once, after all that was printed before, whatever has become of stdout and stderr."""
        flush_printed()
        write_all(self.target, text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Nothing is held back, but for the beginning of what may be a secret."""

    def sync(self) -> None:
        """Wait until all that was printed before is in the file."""
        flush_printed()
        if self._pipe:
            self._pipe.sync()

    def close(self) -> None:
        """End it; the file is complete then."""
        try:
            if self._pipe:
                self._pipe.close()
        finally:
            self._opened.close()


@contextlib.contextmanager
def captured(log_file: Path, secrets: Collection[str] = ()) -> Iterator[Capture]:
    """While open, what this process and its children print goes to the end of `log_file`, without `secrets`.

    It is complete when this has ended; only what child processes print that go on then may still come, without secrets, too.
    Where there are secrets a process of its own hides them, else the file is written directly. Where what is printed goes to
    `log_file` already, without these secrets, it is left as it is.

    Raises:
        SandboxError: Another thread or task captures what this process prints; one process has only one place for it.
        CaptureLost: At the end: the file is not complete.
    """
    found = capture_of(log_file)
    if found is not None and found.secrets.issuperset(secrets):
        yield found
        return
    with (
        _noted(log_file, secrets) as capture,
        contextlib.closing(capture),
        _printing_to(capture.target.fileno()),
        _children_do_not_buffer(),
    ):
        yield capture
    if capture.is_lost:
        raise CaptureLost(
            f"the process that keeps secrets out of {log_file} was killed again and again, so that the log is not complete",
            fix="find out who ends processes of this user; the kernel does where memory is short: see dmesg",
        )


def capture_of(log_file: Path | None) -> Capture | None:
    """The open capture that has what is printed here go to `log_file`, or, where that is None, to any file."""
    if not _open:
        return None
    innermost = _open[-1]
    if log_file is None:
        return innermost if innermost is _own.get() else None
    return innermost if os.path.realpath(innermost.log_file) == os.path.realpath(log_file) else None


def is_captured() -> bool:
    """Whether what this process prints goes to a log, so that nobody sees it at once."""
    return bool(_open)


@contextlib.contextmanager
def _noted(log_file: Path, secrets: Collection[str]) -> Iterator[Capture]:
    with _guard:
        if _open and _open[-1] is not _own.get():
            raise SandboxError(
                f"what this process prints goes to {_open[-1].log_file}, and cannot go to {log_file} at the same time",
                fix="run one after the other, or in processes of their own",
            )
        capture = Capture(log_file, secrets)
        _open.append(capture)
    token = _own.set(capture)
    try:
        yield capture
    finally:
        _own.reset(token)
        _open.remove(capture)


@contextlib.contextmanager
def _printing_to(target: int) -> Iterator[None]:
    flush_printed()
    saved = {number: _copy(number) for number in _PRINTED_TO}
    try:
        for number in saved:
            os.dup2(target, number)
        stream = _stream()
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            try:
                yield
            finally:
                flush_printed()
    finally:
        for number, original in saved.items():
            _put_back(number, original)


@contextlib.contextmanager
def _children_do_not_buffer() -> Iterator[None]:
    """While open, Python children write what they print at once, though it goes to no terminal: so it can be watched live."""
    before = os.environ.get(_UNBUFFERED)
    os.environ[_UNBUFFERED] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_UNBUFFERED, None)
        else:
            os.environ[_UNBUFFERED] = before


def _stream() -> TextIO:
    """Writes to the file descriptor of stderr, wherever that leads, line by line; the same for all captures.

    Libraries keep what they find as sys.stderr for good: so it must be good after the job, too.
    """
    if not _streams or _streams[-1].closed:
        own = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        _streams[:] = [own]
    return _streams[-1]


def flush_printed() -> None:
    """Let go of all that was printed and is still held back, by Python or by C."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):  # closed, or something else put there
            stream.flush()  # type: ignore[union-attr]
    _flush_of_c()()


@functools.cache
def _flush_of_c() -> Callable[[], object]:
    libc = ctypes.CDLL(None)
    for name in ("stdout", "__stdoutp"):  # as Linux and as macOS name it
        with contextlib.suppress(ValueError):
            return functools.partial(libc.fflush, ctypes.c_void_p.in_dll(libc, name))
    return lambda: None


def _copy(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:  # closed: a service
        return None


def _put_back(number: int, original: int | None) -> None:
    if original is None:
        os.close(number)
    else:
        os.dup2(original, number)
        os.close(original)
