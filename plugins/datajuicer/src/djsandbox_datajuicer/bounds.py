"""Filter bounds from the mean and spread of a statistic, kept in the domain of the operator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from djsandbox_datajuicer.catalogue import operators

Measures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bound:
    """One argument of a filter that limits one of its statistics."""

    argument: str
    side: Literal["min", "max"]
    statistic: str


def bounds_of(op: str, arguments: Mapping[str, Any]) -> Iterator[Bound]:
    """The bounds of a filter, with the statistic that each limits under these `arguments`."""
    entry = operators().get(op, {})
    for argument, described in entry.get("bounds", {}).items():
        statistic = described["stat"]
        for switch, other in described.get("switch", {}).items():
            default = entry["args"].get(switch, {}).get("default", False)
            if arguments.get(switch, default):
                statistic = other
        yield Bound(argument, described["side"], statistic)


def is_numeric(op: str, argument: str) -> bool:
    """Whether the argument takes a number (sizes like `1 MB` are strings)."""
    return set(str(operators()[op]["args"][argument].get("type", "")).split("|")) <= {"int", "float"}


def is_whole(op: str, argument: str) -> bool:
    """Whether the argument takes whole numbers only."""
    return bool(operators()[op]["args"][argument].get("type") == "int")


def default_of(op: str, argument: str) -> Any:
    """The operator's own value where a recipe gives none; None where the catalogue does not know it."""
    return operators()[op]["args"][argument].get("default")


def k_sigma(op: str, bound: Bound, measures: Measures, k: float) -> int | float:
    """mean -/+ k * std as a value that the operator accepts.

    A lower bound that is an integer is rounded down, an upper one up, so that no sample within k * std is lost by rounding.
    A statistic that cannot be negative (the operator's own bounds are not, nor is any value seen) has no negative bound;
    one whose operator's bounds and values all lie in [0, 1] has none outside of it.
    """
    shift = k * measures["std"]
    return within(op, bound, measures["mean"] + (shift if bound.side == "max" else -shift), measures)


def within(op: str, bound: Bound, value: float, measures: Measures) -> int | float:
    """`value` as the operator accepts it: whole where the argument is (outwards), in the domain that k_sigma describes."""
    low, high = domain(op, bound, measures)
    if is_whole(op, bound.argument):
        whole = math.ceil(value) if bound.side == "max" else math.floor(value)
        return min(max(whole, math.ceil(low) if low > -math.inf else whole), math.floor(high) if high < math.inf else whole)
    return float(min(max(value, low), high))


def domain(op: str, bound: Bound, measures: Measures) -> tuple[float, float]:
    """The least and the greatest value that makes sense for a bound, given the `min` and `max` that were seen."""
    described = operators()[op]["args"][bound.argument]
    defaults = [
        value
        for other in bounds_of(op, {})
        if is_numeric(op, other.argument) and (value := default_of(op, other.argument)) is not None
    ]
    low, high = -math.inf, math.inf
    if defaults and min(defaults) >= 0 and measures.get("min", 0) >= 0:
        low = 0
        if max(defaults) <= 1 and measures.get("max", 1) <= 1:
            high = 1
    low = max(low, described.get("ge", -math.inf), math.nextafter(described.get("gt", -math.inf), math.inf))
    high = min(high, described.get("le", math.inf), math.nextafter(described.get("lt", math.inf), -math.inf))
    return low, high
