"""The catalogue of first-party types: which package brings a type that is not installed.

`catalogue.json` is generated (`tools/make_catalogue.py`); it informs messages and lists, and never decides what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from djsandbox.plugins.groups import short_group

CATALOGUE_FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class KnownType:
    """A type of a first-party package; `group` is short."""

    group: str
    type: str
    package: str
    description: str


@lru_cache(maxsize=1)
def catalogue() -> tuple[KnownType, ...]:
    """All first-party types, by group and type."""
    return tuple(KnownType(**entry) for entry in json.loads(CATALOGUE_FILE.read_text(encoding="utf-8")))


def known_types(group: str) -> Mapping[str, KnownType]:
    """The first-party types of `group`, by type."""
    short = short_group(group)
    return MappingProxyType({known.type: known for known in catalogue() if known.group == short})
