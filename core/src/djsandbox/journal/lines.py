"""A file of JSON lines that survives being cut off anywhere.

A line counts once its newline is there, or once it is complete without it. The one thing a killed writer can leave, part of
a last line, is skipped by readers and cut off by the next writer; anything else that cannot be read is an error.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox.errors import Position, SandboxError
from djsandbox.journal.atomic import sync_folder
from djsandbox.journal.json_bytes import json_bytes

_TAIL_BLOCK = 65536


class JsonLines:
    """JSON objects in `path`, one a line, appended by any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Mapping[str, Any], *, durable: bool) -> None:
        """Add one line; with `durable` it is on disk when this returns, else only safe from the death of the process."""
        data = _one_line(record)
        try:
            self._append(data, durable)
        except OSError as error:
            raise SandboxError(
                f"cannot write {self.path}: {error.strerror}", fix="free space or mend the permissions"
            ) from error

    def sync(self) -> None:
        """Bring to disk what was appended without `durable`."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            os.fsync(file.fileno())

    def read(self) -> Iterator[dict[str, Any]]:
        """The objects in the file, none if it does not exist. Raises SandboxError at a line that cannot be read."""
        *lines, tail = self._bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            record = _parse(line)
            if record is None:
                raise SandboxError(
                    "this line cannot be read; something other than djsandbox has changed the file",
                    where=Position(str(self.path), number),
                    fix="repair or delete the line; what it recorded is then not known any more",
                )
            yield record
        last = _parse(tail)
        if last is not None:
            yield last

    def _append(self, data: bytes, durable: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd, created = self._open()
        try:
            _lock(fd, fcntl.LOCK_EX)
            _write(fd, _mend_tail(fd) + data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        if created:
            sync_folder(self.path.parent)

    def _open(self) -> tuple[int, bool]:
        flags = os.O_RDWR | os.O_APPEND
        with contextlib.suppress(FileNotFoundError):
            return os.open(self.path, flags), False
        return os.open(self.path, flags | os.O_CREAT, 0o666), True

    def _bytes(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                _lock(file.fileno(), fcntl.LOCK_SH)
                return file.read()
        except FileNotFoundError:
            return b""


def _one_line(record: Mapping[str, Any]) -> bytes:
    return json_bytes(record) + b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _lock(fd: int, kind: int) -> None:
    # Where a file system has no flock, the lock on the work_dir is what keeps a second writer out.
    with contextlib.suppress(OSError):
        fcntl.flock(fd, kind)


def _write(fd: int, data: bytes) -> None:
    start = os.fstat(fd).st_size
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, start)
        raise


def _mend_tail(fd: int) -> bytes:
    """Cut off half a last line; return the newline that a whole last line may lack."""
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return b""
    tail, start = b"", size
    while start > 0 and b"\n" not in tail:
        step = min(_TAIL_BLOCK, start)
        start -= step
        tail = os.pread(fd, step, start) + tail
    last = tail.rpartition(b"\n")[2]
    if _parse(last) is not None:
        return b"\n"
    os.ftruncate(fd, size - len(last))
    return b""
