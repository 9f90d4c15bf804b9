"""The values that a filter's bound may take, made from the quantiles of what was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from djsandbox_datajuicer.bounds import Bound, default_of, is_whole, within
from djsandbox_datajuicer.refined_recipe import is_no_bound


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value of a bound; `effective` compares like a closed one. `written` is None where the recipe need not have it."""

    effective: float
    written: int | float | None
    is_given: bool = False


def candidates(
    op: str, bound: Bound, arguments: Mapping[str, Any], seen: np.ndarray, limits: Mapping[str, float], most: int
) -> list[Candidate]:
    """The bound as the recipe has it, one that keeps all of `seen` (sorted values), and at most `most` between, ascending.

    `limits` are the least and the greatest value seen (`min`, `max`).
    """
    default = default_of(op, bound.argument)
    given = arguments.get(bound.argument, default)
    found: dict[float, Candidate] = {}

    def add(value: Any, *, written: bool = True, is_given: bool = False) -> None:
        effective = _effective(value, bound, arguments)
        found.setdefault(effective, Candidate(effective, value if written else None, is_given))

    add(given, written=bound.argument in arguments, is_given=True)
    if len(seen):
        loosest = seen[0] if bound.side == "min" else seen[-1]
        if default is not None and _keeps(_effective(default, bound, arguments), loosest, bound):
            add(default, written=False)
        for value in _thresholds(op, bound, np.unique(seen), _picked(seen, most)):
            add(within(op, bound, value, limits))
    return [found[effective] for effective in sorted(found)]


def no_bound(side: str) -> list[Candidate]:
    """The only candidate on the side where a filter has no bound."""
    return [Candidate(-math.inf if side == "min" else math.inf, None, is_given=True)]


def _effective(value: Any, bound: Bound, arguments: Mapping[str, Any]) -> float:
    lower = bound.side == "min"
    if value is None or is_no_bound(value):
        return -math.inf if lower else math.inf
    if arguments.get("min_closed_interval" if lower else "max_closed_interval", True):
        return float(value)
    return math.nextafter(value, math.inf if lower else -math.inf)


def _keeps(effective: float, value: float, bound: Bound) -> bool:
    return effective <= value if bound.side == "min" else effective >= value


def _picked(seen: np.ndarray, most: int) -> np.ndarray:
    """Values of `seen` at evenly spaced quantiles; all different ones where these are few."""
    distinct = np.unique(seen)
    if len(distinct) <= most:
        return distinct
    return np.unique(np.quantile(seen, np.linspace(0, 1, most), method="nearest"))


def _thresholds(op: str, bound: Bound, distinct: np.ndarray, picked: np.ndarray) -> list[float]:
    """Values that keep each of `picked` and not its outer neighbour: between the two, where the argument is no whole number."""
    if is_whole(op, bound.argument):
        return [float(value) for value in picked]
    found = []
    for value in picked:
        at = int(np.searchsorted(distinct, value)) + (-1 if bound.side == "min" else 1)
        outermost = not 0 <= at < len(distinct)
        found.append(float(value) if outermost else _short_between(float(distinct[at]), float(value)))
    return found


def _short_between(one: float, other: float) -> float:
    """A number between the two with as few decimals as will do."""
    low, high = sorted((one, other))
    middle = low + (high - low) / 2
    for decimals in range(17):
        if low < (short := round(middle, decimals)) < high:
            return short
    return other
