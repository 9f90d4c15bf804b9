"""Values that a plan cannot know: what stands for them until the run decides."""

from __future__ import annotations

from collections.abc import Mapping
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
    if isinstance(value, str):
        return value.startswith(_MARK)
    if isinstance(value, Mapping):
        return any(is_decided_at_run(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_decided_at_run(item) for item in value)
    return value is DECIDED_AT_RUN
