"""The answers of a model as they arrive: an append-only file that a later attempt goes on with."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

Place = tuple[int, int, int]
"""Of which data pool, which of its rows, and which conversation of the row; all from 0."""


class AnswerLog:
    """A file with one answer a line, each beside the digest of the request that it answers.

    A line is handed to the operating system as one piece when its answer arrives: a kill at any moment loses none before. A
    last line that was cut off is dropped when the file is opened again. Of the answers only their places in the file are held.
    """

    def __init__(self, path: str | Path, *, fresh: bool = False) -> None:
        self.path = Path(path)
        self.tokens = 0
        self._found: dict[Place, tuple[str, int, int]] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if fresh else 0)
        self._fd = os.open(self.path, flags, 0o666)
        self._end = self._read()
        if os.fstat(self._fd).st_size != self._end:
            os.ftruncate(self._fd, self._end)

    def __len__(self) -> int:
        return len(self._found)

    def has(self, place: Place, request: str) -> bool:
        """Whether this very request is answered."""
        found = self._found.get(place)
        return found is not None and found[0] == request

    def forget(self, place: Place) -> None:
        """Count what was asked at `place` as not answered: something else is asked there now."""
        self._found.pop(place, None)

    def add(self, place: Place, request: str, output: str, tokens: int = 0) -> None:
        """Note an answer, for good."""
        line = json.dumps({"place": place, "request": request, "output": output, "tokens": tokens}).encode() + b"\n"
        written = 0
        try:
            while written < len(line):  # a signal may cut a write short
                written += os.write(self._fd, line[written:])
        except OSError:  # a full disk: half a line would spoil the next one
            os.ftruncate(self._fd, self._end)
            raise
        self._found[place] = (request, self._end, len(line))
        self.tokens += tokens
        self._end += len(line)

    def output(self, place: Place) -> str | None:
        """The answer at `place`; None where there is none."""
        found = self._found.get(place)
        if found is None:
            return None
        answer: str = json.loads(os.pread(self._fd, found[2], found[1]))["output"]
        return answer

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def remove(self) -> None:
        """Close and remove the file: what is in it has been taken over."""
        self.close()
        self.path.unlink()

    def __enter__(self) -> AnswerLog:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _read(self) -> int:
        """Note the answers that are there; returns where the last whole line ends. Lines that are none are passed over."""
        end = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    answer = json.loads(line)
                    place, request, tokens, _ = (answer[key] for key in ("place", "request", "tokens", "output"))
                    self.tokens += tokens
                    self._found[tuple(place)] = (request, end, len(line))
                end += len(line)
        return end
