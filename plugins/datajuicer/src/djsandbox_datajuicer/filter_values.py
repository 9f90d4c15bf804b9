"""The values of one statistic that decide whether a filter keeps a sample, ready for trying many bounds at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Range = tuple[float, float, int]
_ALWAYS: Range = (math.inf, -math.inf, 1)
"""Lies within any bounds."""


class FilterValues:
    """One statistic of all samples, as signed ranges.

    With the bounds [low, high] a sample is kept if the signs of those of its ranges that lie within add up to one. A plain
    value is one range; several values of which all must lie within are the range from the least to the greatest; of several
    of which any must, each is a range, less the ranges between neighbours, so that a run of values counts once.
    """

    def __init__(self, ranges: Iterable[Sequence[Range]]) -> None:
        listed = list(ranges)
        flat = list(itertools.chain.from_iterable(listed))
        self.size = len(listed)
        self.owner = np.repeat(np.arange(self.size), [len(of_sample) for of_sample in listed])
        self.low = np.array([entry[0] for entry in flat], dtype=float)
        self.high = np.array([entry[1] for entry in flat], dtype=float)
        self.sign = np.array([entry[2] for entry in flat], dtype=float)

    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """Finite values, sorted, that a lower and that an upper bound has to do with."""
        counted = (self.sign > 0) & np.isfinite(self.low) & np.isfinite(self.high)
        return np.sort(self.low[counted]), np.sort(self.high[counted])

    def kept(self, low: float, high: float) -> np.ndarray:
        """Whether each sample is kept, shape (size,)."""
        within = self.sign * ((self.low >= low) & (self.high <= high))
        return np.bincount(self.owner, weights=within, minlength=self.size) > 0.5

    def cells(self, lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
        """For `sums`: where each range falls among ascending bounds; -1 where it lies within none."""
        tightest_low = np.searchsorted(lows, self.low, side="right") - 1
        tightest_high = np.searchsorted(highs, self.high, side="left")
        outside = (tightest_low < 0) | (tightest_high >= len(highs))
        return np.where(outside, -1, tightest_low * len(highs) + tightest_high)

    def sums(self, cells: np.ndarray, shape: tuple[int, int], weights: np.ndarray) -> np.ndarray:
        """Sum of the weights of the samples kept by each pair of bounds, shape (lows, highs)."""
        inside = cells >= 0
        amounts = (self.sign * weights[self.owner])[inside]
        table = np.bincount(cells[inside], weights=amounts, minlength=shape[0] * shape[1]).reshape(shape)
        return np.cumsum(np.cumsum(table[::-1], axis=0)[::-1], axis=1)


def ranges_of(op: str, arguments: Mapping[str, Any], statistics: Mapping[str, Any], statistic: str, every: bool) -> list[Range]:
    """The ranges of one sample as Data-Juicer's filters look at it; `every`: all of several values must lie within.

    A sample without values (no image, say) is kept, and one whose value is not a number is not. Three filters differ.
    Raises TypeError where the statistic is not made of numbers.
    """
    value = statistics[statistic]
    if op == "language_id_score_filter" and arguments.get("lang") and statistics.get("lang") not in _listed(arguments["lang"]):
        return []
    if op == "llm_task_relevance_filter" and not value:
        return [_ALWAYS]
    values = sorted(_number(item) for item in _listed(value))
    if not values:
        return [] if op == "text_entity_dependency_filter" else [_ALWAYS]
    numbers = [item for item in values if not math.isnan(item)]
    if every:
        return [(numbers[0], numbers[-1], 1)] if len(numbers) == len(values) else []
    between = [(low, high, -1) for low, high in itertools.pairwise(numbers)]
    return [(item, item, 1) for item in numbers] + between


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, (int, float)):
        raise TypeError(f"{type(value).__name__} is no number")
    return float(value)
