"""Results that the trials of a sweep share: what is deterministic is made by one of them, once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.journal.atomic import write_atomically
from djsandbox.journal.history import JobRecord
from djsandbox.journal.json_bytes import json_bytes


@dataclass(frozen=True, slots=True)
class SharedResult:
    """The result of a job in another trial: its record, that trial's work_dir, and what the job told the watcher."""

    record: JobRecord
    work_dir: Path
    watched: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SharedResults:
    """A folder with one file for each content key; whoever is to make a result holds its key meanwhile."""

    folder: Path

    @contextlib.contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Keep other trials from making the result of `key` at the same time; the kernel lets go when we end, in any way."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._file(key).with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with contextlib.suppress(OSError):  # a file system without locks: two trials may make the same
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)  # a worker forked meanwhile has the file open, too
            os.close(fd)

    def find(self, key: str) -> SharedResult | None:
        """The result of `key`, if a trial has made it."""
        try:
            data = json.loads(self._file(key).read_bytes())
        except (OSError, ValueError):
            return None
        return SharedResult(JobRecord.from_event(data["record"]), Path(data["work_dir"]), data["watched"])

    def put(self, result: SharedResult) -> None:
        """Let other trials find `result`."""
        data = {
            "record": result.record.to_fields(),
            "work_dir": str(result.work_dir),
            "watched": [dict(line) for line in result.watched],
        }
        write_atomically(self._file(result.record.key), json_bytes(data, allow_nan=True))

    def _file(self, key: str) -> Path:
        return self.folder / f"{key.replace(':', '_')}.json"
