"""Reading and changing nested plain data by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Path = Sequence[str | int]


def set_at(data: Any, path: Path, value: Any) -> Any:
    """A copy of `data` with `value` at `path`; missing mappings on the way are made.

    Raises KeyError with the offending step where the path runs through something that has no such place.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        index = _index(data, step)
        return [set_at(item, rest, value) if at == index else item for at, item in enumerate(data)]
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        raise KeyError(step)
    return {**data, step: set_at(data.get(step), rest, value)}


def get_at(data: Any, path: Path) -> Any:
    """The value at `path`; KeyError with the offending step where there is none."""
    for step in path:
        if isinstance(data, list):
            data = data[_index(data, step)]
        elif isinstance(data, Mapping) and step in data:
            data = data[step]
        else:
            raise KeyError(step)
    return data


def _index(items: Sequence[Any], step: str | int) -> int:
    text = str(step)
    if not text.isdigit() or int(text) >= len(items):
        raise KeyError(step)
    return int(text)
