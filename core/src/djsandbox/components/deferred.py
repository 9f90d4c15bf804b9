"""Values that a plan cannot know: what stands for them until the run decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from djsandbox.config.numbers import is_number

_MARK = "<decided at run: "


@dataclass(frozen=True, slots=True, repr=False)
class DecidedAtRun:
    """The type of `DECIDED_AT_RUN`, which stands for a result that a plan cannot know."""

    kind: str = ""
    """What it will be, where that is known and is no number: "a list"."""

    item: DecidedAtRun | None = None
    """What each item of that mapping or list will be, where that is known."""

    is_single: bool = False
    """Whether it is known to have no parts, as a text or a number."""

    def part(self, depth: int) -> DecidedAtRun | None:
        """What stands `depth` parts of an address below it, whichever way that is read (a key may hold dots); None: nothing."""
        if not depth:
            return self
        if self.is_single:
            return None
        if self.item is None:
            return DECIDED_AT_RUN
        readings = [found for rest in range(depth) if (found := self.item.part(rest)) is not None]
        return readings[-1] if all(one.kind for one in readings) else DECIDED_AT_RUN

    def __repr__(self) -> str:
        return "decided at run"


DECIDED_AT_RUN: Final = DecidedAtRun()


def stand_in(reference: str) -> str:
    """The text that stands in a planned config for the value that `reference` will have."""
    return f"{_MARK}{reference}>"


def is_decided_at_run(value: Any) -> bool:
    """True where `value` is, or holds, something that only the run will know.

    Components are made for planning, too: a path of their config may then be the text that stands for one.
    """
    return any(isinstance(leaf, DecidedAtRun) or _is_stand_in(leaf) for leaf in _leaves(value))


def holds_stand_in(value: Any) -> bool:
    """True where `value` was made from a text that stands for another: even its size may be another at run."""
    return any(_is_stand_in(leaf) for leaf in _leaves(value))


def may_be_number(value: Any) -> bool:
    """False for what is no number whatever the parts of it will be that only the run knows."""
    if isinstance(value, DecidedAtRun):
        return not value.kind
    return is_number(value) or _is_stand_in(value)


def described(value: Any) -> str:
    """`value` in the words of a message, shortened: a list or mapping is only called so."""
    if isinstance(value, DecidedAtRun) and value.kind:
        return value.kind
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."


def _is_stand_in(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_MARK)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value
