"""Nested results as single named values, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from djsandbox.journal.frames import frame_kind

Parts = tuple[str, ...]


def flatten(value: Any, parts: Parts) -> Iterator[tuple[Parts, Any]]:
    """The single values in `value`, each with the keys that lead to it; a data frame is column -> row -> value."""
    if frame_kind(value) is not None:
        value = value.to_dict()
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flatten(item, (*parts, *_labels(key)))
    else:
        yield parts, value


def nest(values: Iterable[tuple[Parts, Any]]) -> dict[str, Any]:
    """The mapping that `flatten` came from. Where a value stands at the place of a mapping, the mapping wins."""
    root: dict[str, Any] = {}
    for parts, value in values:
        place = root
        for part in parts[:-1]:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        # No single value is a mapping, so one that stands here is a branch.
        if not isinstance(place.get(parts[-1]), dict):
            place[parts[-1]] = value
    return root


def below(parts: Parts, name: str) -> Parts:
    """What of `parts`, whose dotted name begins with `name` and a dot, comes after it."""
    length = -1
    for count, part in enumerate(parts, start=1):
        length += len(part) + 1
        if length == len(name):
            return parts[count:]
    return split(".".join(parts)[len(name) + 1 :])


def split(name: str) -> Parts:
    """The parts of a dotted name; none of an empty one."""
    return tuple(name.split(".")) if name else ()


def _labels(key: Any) -> Sequence[str]:
    # The labels of a data frame with several levels are tuples.
    return [str(label) for label in key] if isinstance(key, tuple) else [str(key)]


def plain(value: Any) -> Any:
    """`value` as a config or a tracker has it: mappings, lists, texts, numbers; of anything else what it is."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if frame_kind(value) is not None:
        return f"<{type(value).__name__} {'x'.join(map(str, value.shape))}>"
    if hasattr(value, "tolist"):  # numpy's
        return plain(value.tolist())
    return str(value)
