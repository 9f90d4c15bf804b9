"""The lines in which Trinity's monitor tells the metrics of a step."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from djsandbox_trinity.worker.failures import plain

# `[monitor.py:113] Step 1: {...}`; releases before 0.5 had no bracket before the file's name. What Ray writes before it
# (`(Trainer pid=1, ip=10.0.0.7) `) and after it (` [repeated 2x across cluster]`) is passed over.
_LINE = re.compile(r"\bmonitor\.py:\d+\] Step (?P<step>\d+): \{(?P<metrics>.*)")
_KEY = re.compile(r"\s*(?P<key>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"): ")
_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf))(?=\s*[,}]|$)")
_OTHER = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|<[^>]*>|[^,}]*")


@dataclass(frozen=True, slots=True)
class Record:
    """The numbers that one actor reported for one step; some may be nan or infinite."""

    step: int
    metrics: dict[str, float]


def record_of(line: str) -> Record | None:
    """The metrics in a line of the log; None where it has none."""
    found = _LINE.search(plain(line))
    if found is None:
        return None
    metrics = _numbers(found["metrics"])
    return Record(int(found["step"]), metrics) if metrics else None


def _numbers(text: str) -> dict[str, float]:
    """Read `'a': 1, 'b': nan, 'c': [1, 2]}` without evaluating it: its numbers, by their keys."""
    numbers: dict[str, float] = {}
    place = 0
    while (key := _KEY.match(text, place)) is not None:
        place = key.end()
        number = _NUMBER.match(text, place)
        if number is not None:
            written = number["number"]
            numbers[ast.literal_eval(key["key"])] = int(written) if written.lstrip("+-").isdigit() else float(written)
            place = number.end()
        else:
            other = _OTHER.match(text, place)
            place = other.end() if other is not None else place
        if text[place : place + 1] != ",":
            break
        place += 1
    return numbers
