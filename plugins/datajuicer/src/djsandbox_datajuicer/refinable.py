"""The filters of a recipe whose bounds can be chosen from the statistics of samples."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from djsandbox_datajuicer.bounds import Bound, bounds_of, default_of
from djsandbox_datajuicer.catalogue import operators
from djsandbox_datajuicer.refined_recipe import why_not

if TYPE_CHECKING:
    from djsandbox_datajuicer.bound_candidates import Candidate
    from djsandbox_datajuicer.bound_search import Choice, Dimension

Statistics = Sequence[Mapping[str, Any]]
_EVERY = "all"


@dataclass(frozen=True)
class Refinable:
    """One statistic of a filter at `index` of `process`, the bounds that limit it, and what each may become."""

    index: int
    op: str
    arguments: Mapping[str, Any]
    bounds: tuple[Bound, ...]
    options: tuple[Sequence[Candidate], Sequence[Candidate]]
    dimension: Dimension

    def chosen(self, bound: Bound, choice: Choice) -> Candidate:
        """What `choice` makes of one bound."""
        side = 0 if bound.side == "min" else 1
        return self.options[side][choice[side]]

    def put(self, process: list[Any], choice: Choice) -> None:
        """Write the bounds of `choice` into the filter's entry of `process`; those of the recipe stay as they are written."""
        entry = process[self.index]
        arguments = dict(entry[self.op] or {}) if isinstance(entry, Mapping) else {}
        before = dict(arguments)
        for bound in self.bounds:
            candidate = self.chosen(bound, choice)
            if candidate.is_given:
                continue
            if candidate.written is None:
                arguments.pop(bound.argument, None)
            else:
                arguments[bound.argument] = candidate.written
        if arguments != before:
            process[self.index] = {self.op: arguments}


def refinable_filters(
    recipe: Mapping[str, Any], statistics: Statistics, max_candidates: int, logger: logging.Logger
) -> Iterator[Refinable]:
    """Each statistic of each filter that has bounds and whose values the samples have; a warning says why another has not."""
    for index, entry in enumerate(recipe.get("process") or []):
        op, arguments = _operation(entry)
        bounds = tuple(bounds_of(op, arguments))
        for statistic in dict.fromkeys(bound.statistic for bound in bounds):
            own = tuple(bound for bound in bounds if bound.statistic == statistic)
            reason = _unusable(op, arguments, own) or _unseen(op, arguments, statistic, len(own) < len(bounds), statistics)
            if reason:
                logger.warning("%s (%s) stays as it is: %s", op, ", ".join(bound.argument for bound in own), reason)
            else:
                yield _refinable(index, op, arguments, own, statistics, max_candidates)


def _operation(entry: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((op, arguments),) = entry.items()
        return str(op), dict(arguments or {})
    return str(entry), {}


def _unusable(op: str, arguments: Mapping[str, Any], bounds: Sequence[Bound]) -> str | None:
    for bound in bounds:
        reason = why_not(op, bound, arguments)
        if reason:
            return reason
        value = arguments.get(bound.argument, default_of(op, bound.argument))
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            return f"its {bound.argument} is {value!r}, which is no number"
    return None


def _unseen(op: str, arguments: Mapping[str, Any], statistic: str, has_others: bool, statistics: Statistics) -> str | None:
    values = [row[statistic] for row in statistics if row.get(statistic) is not None]
    if not values:
        return f"the samples have no '{statistic}'"
    if len(values) < len(statistics):
        return f"{len(statistics) - len(values)} of {len(statistics)} samples have no '{statistic}'"
    if any(not isinstance(item, (int, float)) for value in values for item in (value if isinstance(value, list) else [value])):
        return f"the values of '{statistic}' are not all numbers"
    several = any(isinstance(value, list) and len(value) > 1 for value in values)
    if has_others and several and not _every(op, arguments):
        return f"it looks at several values of '{statistic}' a sample together with those of another statistic"
    return None


def _every(op: str, arguments: Mapping[str, Any]) -> bool:
    described = operators()[op]["args"].get("any_or_all", {})
    return bool(arguments.get("any_or_all", described.get("default")) == _EVERY)


def _refinable(
    index: int, op: str, arguments: Mapping[str, Any], bounds: tuple[Bound, ...], statistics: Statistics, max_candidates: int
) -> Refinable:
    from djsandbox_datajuicer.bound_candidates import candidates, no_bound  # noqa: PLC0415 - numpy
    from djsandbox_datajuicer.bound_search import Dimension  # noqa: PLC0415 - numpy
    from djsandbox_datajuicer.filter_values import FilterValues, ranges_of  # noqa: PLC0415 - numpy

    every, statistic = _every(op, arguments), bounds[0].statistic
    values = FilterValues(ranges_of(op, arguments, row, statistic, every) for row in statistics)
    seen = dict(zip(("min", "max"), values.seen(), strict=True))
    limits = {"min": float(seen["min"][0]), "max": float(seen["max"][-1])} if len(seen["min"]) else {}
    of_side = {bound.side: bound for bound in bounds}
    lows, highs = (
        candidates(op, of_side[side], arguments, seen[side], limits, max_candidates) if side in of_side else no_bound(side)
        for side in ("min", "max")
    )
    dimension = Dimension(
        values,
        _effective(lows),
        _effective(highs),
        given=(_place_of_given(lows), _place_of_given(highs)),
        open=(0, len(highs) - 1),
    )
    return Refinable(index, op, arguments, bounds, (lows, highs), dimension)


def _effective(options: Sequence[Candidate]) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.array([candidate.effective for candidate in options])


def _place_of_given(options: Sequence[Candidate]) -> int:
    return next(at for at, candidate in enumerate(options) if candidate.is_given)
