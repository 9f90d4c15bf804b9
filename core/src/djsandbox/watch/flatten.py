"""Results made into named numbers and texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """`value` as (dotted name, leaf) pairs; data frames and series count as mappings, column by column."""
    plain = _plain(value)
    if isinstance(plain, Mapping):
        for key, item in plain.items():
            yield from leaves(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, plain


def nested(pairs: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    """The mapping below `prefix` that dotted names stand for; None where no name begins with it."""
    found: dict[str, Any] = {}
    start = prefix + "."
    for name, value in pairs.items():
        if not name.startswith(start):
            continue
        *folders, last = name[len(start) :].split(".")
        level = found
        for folder in folders:
            inner = level.get(folder)
            level[folder] = inner if isinstance(inner, dict) else {}
            level = level[folder]
        level[last] = value
    return found or None


def _plain(value: Any) -> Any:
    """Pandas objects as mappings and numpy scalars as Python's, by what they offer: neither library is imported here."""
    module = type(value).__module__.partition(".")[0]
    if module == "pandas" and hasattr(value, "to_dict"):
        return value.to_dict()
    if module == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value
