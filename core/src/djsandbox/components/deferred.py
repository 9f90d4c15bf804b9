"""Values that a plan cannot know: what stands for them until the run decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_MARK = "<decided at run: "


class DecidedAtRun:
    """The type of `DECIDED_AT_RUN`, which stands for a result that a plan cannot know."""

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
    return any(leaf is DECIDED_AT_RUN or _is_stand_in(leaf) for leaf in _leaves(value))


def holds_stand_in(value: Any) -> bool:
    """True where `value` was made from a text that stands for another: even its size may be another at run."""
    return any(_is_stand_in(leaf) for leaf in _leaves(value))


def _is_stand_in(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_MARK)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value
