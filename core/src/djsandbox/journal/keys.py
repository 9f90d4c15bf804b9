"""Content keys: one hash for everything that a job's result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from djsandbox.errors import SandboxError


def content_key(parts: Mapping[str, Any]) -> str:
    """SHA-256 (64 hex digits) over `parts`, which are plain data: mappings, lists, text, numbers, booleans, None.

    The order of mappings does not matter, that of lists does; 1, 1.0, True and "1" are four different things, as values and
    as keys. Raises SandboxError, naming the place, for anything that is not plain data.
    """
    return hashlib.sha256(_canonical(parts, "parts").encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: Any, place: str) -> str:
    if isinstance(value, Mapping):
        # Sorted as text, after the keys have got their types' own spelling, so that keys of mixed types sort, too.
        items = sorted((_scalar(key, f"a key of {place}"), _canonical(item, f"{place}.{key}")) for key, item in value.items())
        return "{" + ",".join(f"{key}:{item}" for key, item in items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_canonical(item, f"{place}[{index}]") for index, item in enumerate(value)) + "]"
    return _scalar(value, place)


def _scalar(value: Any, place: str) -> str:
    # The types' own __repr__: subclasses (enums, numpy's float64) spell themselves differently and mean the same.
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise SandboxError(
        f"the content key cannot take {place}: {kind} is not plain data",
        fix="a component's key_fields() returns mappings, lists, text, numbers, booleans and None only",
    )
