"""The keys that a Trinity-RFT config may have, as release 0.6.0 defines them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

VERSION = "0.6.0"
"""The release whose keys they are."""

Schema = Mapping[str, Any]
_Classes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key that its section does not have: where it is, the section's class in Trinity, and the section's keys."""

    loc: tuple[str | int, ...]
    section: str
    known: Sequence[str]


@functools.cache
def load_schema() -> Schema:
    """Class -> key -> the class of its value: `X`, `[X]` for a list, `{X}` for a mapping of them, empty for anything else."""
    loaded: Schema = json.loads(resources.files(__package__).joinpath("schema.json").read_text(encoding="utf-8"))
    return loaded


def unknown_keys(data: Any, schema: Schema) -> list[UnknownKey]:
    """All keys in a config that Trinity would refuse."""
    return list(_unknown(data, schema["root"], (), schema["classes"]))


def _unknown(
    data: Any, kind: str, loc: tuple[str | int, ...], classes: Mapping[str, Mapping[str, str]]
) -> Iterator[UnknownKey]:
    if kind.startswith("[") and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _unknown(item, kind[1:-1], (*loc, index), classes)
    elif kind.startswith("{") and isinstance(data, Mapping):
        for key, item in data.items():
            yield from _unknown(item, kind[1:-1], (*loc, str(key)), classes)
    elif kind in classes and isinstance(data, Mapping):
        known = classes[kind]
        for key, item in data.items():
            if key in known:
                yield from _unknown(item, known[key], (*loc, key), classes)
            else:
                yield UnknownKey((*loc, str(key)), kind, list(known))
