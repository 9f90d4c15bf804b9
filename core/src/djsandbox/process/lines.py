"""Bytes as they come from a process, made into lines of text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

LONGEST_LINE = 65_536
_END = re.compile(r"\r\n?|\n")


class LineSplitter:
    """Splits a stream of bytes at `\\n`, `\\r` and `\\r\\n`, as early as each line is complete.

    A carriage return with nothing before it (progress bars begin with one) is no line of its own. Bytes that are not UTF-8
    are replaced; a line of more than `longest` characters comes in pieces of that length.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._ended_by_return = False

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that `data` completes, without their ends; read them all before feeding again."""
        yield from self._split(self._decoder.decode(data))

    def close(self) -> Iterator[str]:
        """What is left when the stream has ended: a last line without an end."""
        yield from self._split(self._decoder.decode(b"", final=True))
        if self._held:
            yield self._held
        self._held = ""

    def _split(self, text: str) -> Iterator[str]:
        start = 0
        if text:
            # The rest of a \r\n of which the first half came, and ended a line, with an earlier piece.
            start = 1 if self._ended_by_return and text[0] == "\n" else 0
            self._ended_by_return = False
        for end in _END.finditer(text, start):
            line = self._held + text[start : end.start()]
            self._held = ""
            start = end.end()
            if line or end.group() != "\r":
                yield from self._pieces(line)
            self._ended_by_return = bool(line) and end.group() == "\r" and start == len(text)
        self._held += text[start:]
        while len(self._held) > self._longest:
            yield self._held[: self._longest]
            self._held = self._held[self._longest :]

    def _pieces(self, line: str) -> Iterator[str]:
        for start in range(0, max(len(line), 1), self._longest):
            yield line[start : start + self._longest]
