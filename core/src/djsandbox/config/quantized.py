"""Rounding to multiples of a step, in decimals: three steps of 0.1 are 0.3."""

from __future__ import annotations

import math
from decimal import Decimal


def multiples(step: float, bounds: tuple[float, float]) -> range:
    """The factors whose product with `step` lies within `bounds`, both included; empty where there is none."""
    low, high, exact = (Decimal(repr(number)) for number in (*bounds, step))
    return range(math.ceil(low / exact), math.floor(high / exact) + 1)


def quantized(value: float, step: float, bounds: tuple[float, float] | None) -> int | float:
    """The multiple of `step` nearest to `value`, and within `bounds` where it has any; an int where the step is one."""
    factor = round(value / step)
    if bounds is not None:
        inside = multiples(step, bounds)
        factor = min(max(factor, inside.start), inside.stop - 1)
    return factor * step if isinstance(step, int) else float(factor * Decimal(repr(step)))
