"""Samples with a model's score and their statistics, as the model-feedback refiner reads them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox import ComponentError
from djsandbox.errors import Position

STATS = "__dj__stats__"
_MISSING = object()
_Statistics = dict[str, Any]


@dataclass
class ScoredSamples:
    """Score and statistics of each sample, in the order of the file; samples that lack one of them are only counted."""

    scores: list[float] = field(default_factory=list)
    statistics: list[Mapping[str, Any]] = field(default_factory=list)
    without_score: int = 0
    without_statistics: int = 0


def read_scored(path: str, score_key: str, stats_path: str | None, join_key: str) -> ScoredSamples:
    """The samples of `path` (JSON lines) with the number under `score_key` and their statistics.

    Statistics stand in the rows, or come from the rows of `stats_path` with the same value under `join_key`. The order of
    rows is not relied on: a sample has another than its dataset. Raises ComponentError where no sample has both, and with
    file and line for what cannot be read.
    """
    by_digest = _statistics_by_digest(stats_path, join_key) if stats_path else None
    found = ScoredSamples()
    keys: list[str] = []
    for where, row in _rows(path):
        keys = keys or [str(key) for key in row]
        score = _number(find(row, score_key), score_key, where)
        if score is None:
            found.without_score += 1
            continue
        statistics = row.get(STATS) if by_digest is None else _joined(by_digest, row, join_key, where)
        if not isinstance(statistics, Mapping):
            found.without_statistics += 1
            continue
        found.scores.append(score)
        found.statistics.append(statistics)
    if not found.scores:
        raise _nothing_found(path, score_key, stats_path, join_key, found, keys)
    return found


def find(row: Mapping[str, Any], key: str) -> Any:
    """The value under a key, dotted if nested; a marker that is no value of JSON where there is none."""
    if key in row:
        return row[key]
    value: Any = row
    for step in key.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return value


def _rows(path: str) -> Iterator[tuple[Position, dict[str, Any]]]:
    try:
        with Path(path).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                where = Position(path, number)
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ComponentError(f"not JSON: {error}", where=where, fix="one JSON object a line is wanted") from error
                if not isinstance(row, dict):
                    raise ComponentError(f"a JSON object is wanted, not {type(row).__name__}", where=where)
                yield where, row
    except OSError as error:
        raise ComponentError(f"cannot read the samples: {error.strerror or error}", where=Position(path)) from error


def _number(value: Any, key: str, where: Position) -> float | None:
    if value is _MISSING or value is None:
        return None
    if not isinstance(value, (int, float)):
        raise ComponentError(
            f"'{key}' is {type(value).__name__}, not a number", where=where, fix="let score_key name a number, dotted if nested"
        )
    return float(value) if math.isfinite(value) else None


def _digest(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()


def _statistics_by_digest(path: str, join_key: str) -> dict[bytes, _Statistics | None]:
    """Statistics of each value under `join_key`; None where rows with the same value have different ones."""
    found: dict[bytes, _Statistics | None] = {}
    for where, row in _rows(path):
        value, statistics = find(row, join_key), row.get(STATS)
        if value is _MISSING or not isinstance(statistics, Mapping):
            lacking = STATS if value is not _MISSING else join_key
            raise ComponentError(
                f"the row has no '{lacking}', so its statistics cannot be told whose they are",
                where=where,
                fix="let stats_path name rows analysed with `export_original_dataset: true`, and join_key one of their keys",
            )
        digest = _digest(value)
        found[digest] = dict(statistics) if found.get(digest, statistics) == statistics else None
    return found


def _joined(by_digest: Mapping[bytes, _Statistics | None], row: Mapping[str, Any], key: str, where: Position) -> Any:
    value = find(row, key)
    if value is _MISSING:
        return None
    statistics = by_digest.get(_digest(value), _MISSING)
    if statistics is None:
        raise ComponentError(
            f"stats_path has several rows with this '{key}' and different statistics",
            where=where,
            fix="let join_key name a key that tells the rows apart, or probe the analysed file itself",
        )
    return statistics


def _nothing_found(
    path: str, score_key: str, stats_path: str | None, join_key: str, found: ScoredSamples, keys: list[str]
) -> ComponentError:
    if not found.without_statistics:
        listed = f"the rows have the keys: {', '.join(keys)}" if keys else "the file has no rows"
        message = f"no sample has a number under '{score_key}'"
        return ComponentError(message, where=Position(path), fix=f"set score_key; {listed}")
    if stats_path:
        message = f"no sample has a '{join_key}' that {stats_path} has, too"
        return ComponentError(message, where=Position(path), fix="let join_key name a key that both files have unchanged")
    return ComponentError(
        f"no sample has statistics ('{STATS}')",
        where=Position(path),
        fix="probe the rows of an analysis with `export_original_dataset: true`, or name these rows in stats_path",
    )
