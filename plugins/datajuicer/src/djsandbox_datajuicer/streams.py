"""A stand-in for stdout and stderr that writes to the log of the job that is running."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


class JobOutput(io.TextIOBase):
    """Text stream with a changing target: the open job's log, else the real stderr.

    Logging handlers that libraries make while Data-Juicer is imported keep a reference to the stderr they find. Were that
    the log file of one job, they would write to a closed file in the next.
    """

    def __init__(self) -> None:
        super().__init__()
        self._targets: list[TextIO] = []

    @contextlib.contextmanager
    def to(self, path: Path) -> Iterator[None]:
        """Send this stream, stdout and stderr to the end of `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", buffering=1) as target:
            self._targets.append(target)
            try:
                with contextlib.redirect_stdout(self), contextlib.redirect_stderr(self):
                    yield
            finally:
                self._targets.pop()

    def write(self, text: str) -> int:
        """Write to the current target."""
        return self._target.write(text)

    def flush(self) -> None:
        """Flush the current target."""
        self._target.flush()

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Never: progress bars shall not move a cursor."""
        return False

    def fileno(self) -> int:
        """The current target's descriptor."""
        return self._target.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Always UTF-8 in a log."""
        return "utf-8"

    @property
    def _target(self) -> TextIO:
        if self._targets:
            return self._targets[-1]
        stream = sys.__stderr__
        if stream is None:
            raise ValueError("there is no stderr to write to")
        return stream


JOB_OUTPUT = JobOutput()
