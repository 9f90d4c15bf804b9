"""Where a data pool is cut into parts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from djsandbox_pools.jsonlines import Indices


def as_ratio(value: object) -> float:
    """A ratio in (0, 1), given as a number or as a fraction such as "1/3"; raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is no ratio; write a number such as 0.5 or a fraction such as '1/3'")
    try:
        ratio = float(Fraction(value))
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise ValueError(f"{value!r} is no ratio; write a number such as 0.5 or a fraction such as '1/3'") from error
    if not 0 < ratio < 1:
        raise ValueError(f"the ratio {value} is not between 0 and 1; a ratio is the share of rows that lies before the cut")
    return ratio


def cuts(count: int, ratios: Sequence[float], part_size: int | None) -> list[int]:
    """The bounds of the parts of `count` rows, 0 and `count` included; `part_size` wins over `ratios`."""
    inner = range(part_size, count, part_size) if part_size is not None else [int(count * ratio + 0.5) for ratio in ratios]
    return [0, *inner, count]


def all_filled(bounds: Sequence[int]) -> bool:
    """Whether every part has at least one row."""
    return all(low < high for low, high in pairwise(bounds))


def parts(order: Indices, bounds: Sequence[int]) -> list[Indices]:
    """`order`, cut at `bounds`."""
    return [order[low:high] for low, high in pairwise(bounds)]
