"""Iteration as a config writes it: when to stop, and what one iteration hands to the next."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from djsandbox.config.document import Document
from djsandbox.config.references import Reference, Target, parse_reference, parse_target
from djsandbox.errors import Position, Problem

_COMPARISON = re.compile(r"\s*(?P<reference>[^\s<>=]+)\s*(?P<sign>==|>=|<=|>|<)\s*(?P<number>\S+)\s*")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class IterTarget:
    """`pipeline.meta_name.key[.nested] <= number`: reached when the output compares so."""

    text: str
    reference: Reference
    sign: str
    number: float
    where: Position

    def is_met(self, value: float) -> bool:
        """Whether `value` reaches the target; nan never does."""
        return _SIGNS[self.sign](value, self.number)


@dataclass(frozen=True, slots=True)
class IterUpdate:
    """One pair of `iter_updater`: an output of this iteration, and the place of a job that takes it in the next."""

    source: Reference
    pipeline: str
    meta_name: str
    target: Target
    where: Position


def parse_iter_target(text: str, where: Position) -> IterTarget:
    """Parse a target; ValueError with the expected form when it is not one. Nothing is evaluated as code."""
    found = _COMPARISON.fullmatch(text)
    form = "write pipeline.meta_name.key and ==, >=, <=, > or <, and a number"
    if found is None:
        raise ValueError(f"'{text}' is not a target; {form}")
    reference = parse_reference(found["reference"])
    if reference.is_last:
        raise ValueError(f"'{text}': a target names its pipeline and job; {form}")
    try:
        number = float(found["number"])
    except ValueError:
        raise ValueError(f"'{text}': '{found['number']}' is not a number; {form}") from None
    if not math.isfinite(number):
        raise ValueError(f"'{text}': no output could be compared with '{found['number']}'; {form}")
    return IterTarget(text, reference, found["sign"], number, where)


def parse_iter_update(source: str, place: str, where: Position) -> IterUpdate:
    """Parse a pair of `iter_updater`; ValueError with the expected form when it is not one."""
    reference = parse_reference(source)
    if reference.is_last:
        raise ValueError(f"'{source}': an updater names the pipeline and the job that it reads from")
    parts = place.split(".", 2)
    if len(parts) < 3 or not all(parts):
        raise ValueError(f"'{place}' is not a place of a job; write pipeline.meta_name.extra_configs.key")
    return IterUpdate(reference, parts[0], parts[1], parse_target(parts[2]), where)


def read_iter_targets(written: Sequence[str], document: Document, problems: list[Problem]) -> tuple[IterTarget, ...]:
    """The targets of a config; those that cannot be parsed are added to `problems`."""
    found = []
    for at, text in enumerate(written):
        where = document.at(("iter_targets", at))
        try:
            found.append(parse_iter_target(text, where))
        except ValueError as error:
            problems.append(Problem(str(error), where))
    return tuple(found)


def read_iter_updater(written: Mapping[str, str], document: Document, problems: list[Problem]) -> tuple[IterUpdate, ...]:
    """The pairs of `iter_updater`; those that cannot be parsed are added to `problems`."""
    found = []
    for source, place in written.items():
        where = document.at(("iter_updater", source))
        try:
            found.append(parse_iter_update(source, place, where))
        except ValueError as error:
            problems.append(Problem(str(error), where))
    return tuple(found)
