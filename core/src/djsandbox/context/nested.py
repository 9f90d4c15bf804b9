"""Finding a value in nested data by the parts of a dotted address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from djsandbox.errors import did_you_mean


class NotFoundError(Exception):
    """There is nothing at the address; `what` says where it ends and `fix` what there is instead."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


def value_at(data: Any, parts: Sequence[str], so_far: str) -> Any:
    """The value at `parts` of `data`: keys of mappings, and numbers as positions in lists.

    A key may itself contain dots: of several keys that fit, the longest that leads to a value is meant. `so_far` is the
    address of `data`, for the message of NotFoundError.
    """
    if not parts:
        return data
    if isinstance(data, Mapping):
        return _in_mapping(data, parts, so_far)
    if isinstance(data, (list, tuple)):
        return _in_list(data, parts, so_far)
    raise NotFoundError(f"'{so_far}' is a {type(data).__name__} and has no part '{parts[0]}'", f"refer to '{so_far}' itself")


def splits(parts: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The ways to read the beginning of `parts` as one key, longest first, each with what remains."""
    for count in range(len(parts), 0, -1):
        yield ".".join(parts[:count]), parts[count:]


def _in_mapping(data: Mapping[Any, Any], parts: Sequence[str], so_far: str) -> Any:
    deepest: NotFoundError | None = None
    for key, rest in splits(parts):
        found = key if key in data else _number(key)
        if found is None or found not in data:
            continue
        try:
            return value_at(data[found], rest, f"{so_far}.{key}")
        except NotFoundError as error:
            deepest = deepest or error
    if deepest is not None:
        raise deepest
    raise NotFoundError(f"'{so_far}' has no key '{parts[0]}'", did_you_mean(parts[0], [str(key) for key in data]))


def _in_list(data: Sequence[Any], parts: Sequence[str], so_far: str) -> Any:
    index = _number(parts[0])
    if index is None or index >= len(data):
        extent = f"0 to {len(data) - 1}" if data else "there are none, the list is empty"
        raise NotFoundError(f"'{so_far}' is a list and has no position '{parts[0]}'", f"positions: {extent}")
    return value_at(data[index], parts[1:], f"{so_far}.{index}")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
