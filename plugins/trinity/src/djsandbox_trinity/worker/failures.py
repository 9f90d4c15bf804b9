"""How Trinity-RFT says that it has failed: in its log only, for it exits with 0 all the same."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(r"\b(?:ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[(?P<place>[\w.-]+:\d+)\] ?(?P<text>.*)")
_FAILURE = re.compile(
    r"Error in (?:Trainer|Explorer)\b|Error during explorer preparation\b"
    r"|(?:Explorer or Trainer|Trainer|Explorer|Benchmark) failed:"
)


def plain(line: str) -> str:
    """The line without colours and carriage returns."""
    return _ANSI.sub("", line).replace("\r", "").rstrip()


class FailureReader:
    """Reads lines, from where they come, and keeps the first failure that they tell of.

    A message of several lines is printed as several lines with the same beginning; the last one that is not empty is the error
    itself, after its traceback.
    """

    def __init__(self) -> None:
        self.what = ""
        self.cause = ""
        self._place = ""

    def feed(self, line: str) -> None:
        """Take one line."""
        found = _ERROR.search(plain(line))
        if found is None:
            return
        text = found["text"].strip()
        if not self.what:
            failed = _FAILURE.match(text)
            if failed:
                self.what, self._place = failed[0].rstrip(":"), found["place"]
        elif found["place"] == self._place and text and not _FAILURE.match(text):
            self.cause = text

    def message(self) -> str:
        """What went wrong, in one line; empty where nothing did."""
        return f"{self.what}: {self.cause}" if self.cause else self.what
