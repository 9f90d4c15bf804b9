"""Asking the searcher, and bounding what it may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.engine.diagnosis.searcher import LONGEST_LINE
from djsandbox.errors import Evidence

_PROGRAM = ("-I", "-S", str(Path(__file__).with_name("searcher.py")))
_MOST_PLACES = 10
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search: `hits` in the order of the evidence, and the numbers of patterns that take too long."""

    hits: tuple[Hit, ...]
    slow: tuple[int, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """The pattern number `pattern` was found in `line`, at `begin`, in a piece of evidence."""

    pattern: int
    line: str
    begin: int
    evidence: Evidence


def search(patterns: Sequence[str], evidence: Sequence[Evidence]) -> Searched:
    """The first line of each pattern, in the ends (512 KiB) of the logs of `evidence` and the lines beside them, in a minute.

    Of several failures that came together the first ten are searched: what fails a hundred tasks fails each of them.
    """
    places = evidence[:_MOST_PLACES]
    request = {"patterns": list(patterns), "places": [_asked(place) for place in places]}
    said, is_complete = _answer(json.dumps(request).encode())
    hits = sorted((one for one in said if "known" in one), key=lambda one: (one["place"], one["line"], one["begin"]))
    return Searched(
        tuple(Hit(one["known"], one["text"], one["begin"], places[one["place"]]) for one in hits),
        tuple(one["slow"] for one in said if "slow" in one),
        is_complete,
    )


def _asked(place: Evidence) -> dict[str, Any]:
    log = None if place.log is None else os.path.abspath(place.log)
    return {"log": log, "lines": [line[:LONGEST_LINE] for line in place.lines]}


def _answer(request: bytes) -> tuple[list[dict[str, Any]], bool]:
    argv = [sys.executable, *_PROGRAM]
    try:
        done = subprocess.run(argv, input=request, capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as late:
        return list(_read(late.stdout or b"")), False
    return list(_read(done.stdout)), True


def _read(output: bytes) -> Iterator[dict[str, Any]]:
    *lines, _unfinished = output.split(b"\n")
    for line in lines:
        yield json.loads(line)
