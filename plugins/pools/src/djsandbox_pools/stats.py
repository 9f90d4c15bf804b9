"""The statistics that an analysis left in a dataset's rows, as columns of numbers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from djsandbox import ComponentError

from djsandbox_pools.jsonlines import JsonLines

STATS_KEY = "__dj__stats__"
"""The field of a row in which Data-Juicer keeps its statistics (`Fields.stats`)."""

FloatColumn = npt.NDArray[np.float64]
_NUMBER_TYPES = frozenset({int, float, bool})
_NUMBER_OR_NULL_TYPES = _NUMBER_TYPES | {type(None)}


class StatColumns(NamedTuple):
    """Numbers by statistic, one a row and NaN where a row has none; and the names of the statistics that are no numbers."""

    numbers: dict[str, FloatColumn]
    other: list[str]


def stat_columns(rows: JsonLines) -> StatColumns:
    """Read the statistics of all rows, in the order in which their names first appear.

    A list of numbers counts by its mean, an empty list as 0; null and NaN are no number. A statistic that has any value of
    another type (text, lists of text) or never a number is among `other`. Raises ComponentError where no row has statistics.
    """
    columns: dict[str, FloatColumn] = {}
    with_numbers: set[str] = set()
    mistyped: set[str] = set()
    for index, row in enumerate(rows.objects()):
        stats = row.get(STATS_KEY)
        if not isinstance(stats, dict):
            continue
        for name, value in stats.items():
            if name not in columns:
                columns[name] = np.full(len(rows), np.nan)
            number = _number(value)
            if number is None:
                mistyped.add(name)
                continue
            columns[name][index] = number
            if value != [] and number == number:  # noqa: PLR0124 - NaN alone differs from itself
                with_numbers.add(name)
    if not columns:
        raise ComponentError(
            f"the rows of {rows.path} have no statistics (under '{STATS_KEY}')",
            fix="analyze the dataset first (ProbeViaAnalyzerHook), or set ignore_stats: true to split it in the order it has",
        )
    usable = with_numbers - mistyped
    return StatColumns({name: columns[name] for name in columns if name in usable}, [n for n in columns if n not in usable])


def _number(value: Any) -> float | None:
    """The number that `value` counts as, NaN where there is none, None where it is of another type."""
    kind = type(value)
    if kind in _NUMBER_TYPES:
        return float(value)
    if value is None:
        return math.nan
    if kind is not list:
        return None
    if not value:
        return 0.0
    if not set(map(type, value)) <= _NUMBER_OR_NULL_TYPES:
        return None
    return float(np.mean(np.array(value, dtype=np.float64)))
