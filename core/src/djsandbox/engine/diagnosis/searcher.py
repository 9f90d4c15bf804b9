"""The program that searches logs for known errors: a process of its own, so that no pattern can hold up who reports a failure.

Its stdin is one JSON object: `patterns`, and `places`, each with the `log` to read (a path or null) and `lines` beside it. For
each pattern that is found it prints one line of JSON: its number, the number of the first place that has it, the line there
and where in the line it begins; for one that takes too long, `slow` with its number. Needs nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from typing import Any

TAIL = 2**19
"""Bytes at the end of a log that are searched."""
LONGEST_LINE = 4000
"""Characters of a line that are searched."""
CPU_SECONDS = 1.0
"""CPU time that a pattern may take for one log."""

_LINE_END = re.compile(r"\r\n?|\n")
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class _TooSlowError(Exception):
    pass


def main() -> None:
    """Answer the request on stdin."""
    signal.signal(signal.SIGPROF, _give_up)
    request = json.load(sys.stdin)
    wanted = {number: re.compile(pattern) for number, pattern in enumerate(request["patterns"])}
    for at, place in enumerate(request["places"]):
        lines = [*_tail(place["log"]), *(_plain(line) for line in place["lines"])]
        for number, pattern in list(wanted.items()):
            try:
                signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
                found = _first(pattern, lines)
                signal.setitimer(signal.ITIMER_PROF, 0)
            except _TooSlowError:
                _say({"slow": number})
                del wanted[number]
            else:
                if found is not None:
                    line, begin = found
                    _say({"known": number, "place": at, "line": line, "text": lines[line], "begin": begin})
                    del wanted[number]


def _first(pattern: re.Pattern[str], lines: list[str]) -> tuple[int, int] | None:
    for number, line in enumerate(lines):
        match = pattern.search(line)
        if match is not None:
            return number, match.start()
    return None


def _tail(path: str | None) -> list[str]:
    """The last lines of a log, whatever it holds; none where it cannot be read."""
    if path is None or not os.path.isfile(path):
        return []
    try:
        with open(path, "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - TAIL))
            text = log.read(TAIL).decode("utf-8", errors="replace")
    except OSError:
        return []
    return [_plain(line) for line in _LINE_END.split(text)]


def _plain(line: str) -> str:
    return _COLOURS.sub("", line[:LONGEST_LINE]) if "\x1b" in line else line[:LONGEST_LINE]


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - how it answers


def _give_up(number: int, frame: object) -> None:
    raise _TooSlowError


if __name__ == "__main__":
    main()
