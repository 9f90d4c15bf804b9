"""Values inside nested mappings, addressed by a dotted key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def lookup(value: Any, key: str) -> Any:
    """What stands under `key` in `value`: `a.b` is the key "a.b" itself, else "b" under "a".

    Raises KeyError where there is nothing.
    """
    if isinstance(value, Mapping):
        if key in value:
            return value[key]
        cut = key.find(".")
        while cut >= 0:
            if key[:cut] in value:
                try:
                    return lookup(value[key[:cut]], key[cut + 1 :])
                except KeyError:
                    pass  # a longer key may still fit
            cut = key.find(".", cut + 1)
    raise KeyError(key)


def number_keys(value: Any, prefix: str = "") -> list[str]:
    """The dotted keys of all numbers in a nested mapping, in its order."""
    if isinstance(value, Mapping):
        return [key for name, item in value.items() for key in number_keys(item, f"{prefix}.{name}" if prefix else str(name))]
    return [prefix] if prefix and isinstance(value, (int, float)) else []
