"""What the recipe refiners share: which bounds they may change, how they show them, the file they write."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from djsandbox import Finding

from djsandbox_datajuicer.bounds import Bound, is_numeric
from djsandbox_datajuicer.files import write_whole

_SUFFIXES = (".yaml", ".yml", ".json")


def check_suffix(field: str, path: str) -> Iterator[Finding]:
    """The suffix of a refined recipe says whether YAML or JSON is written."""
    if Path(path).suffix.lower() not in _SUFFIXES:
        yield Finding((field,), f"'{path}' is neither YAML nor JSON", f"end it in {', '.join(_SUFFIXES)}")


def write_recipe(path: str, recipe: Mapping[str, Any]) -> None:
    """Write `recipe` with its keys in their order."""
    if Path(path).suffix.lower() == ".json":
        write_whole(Path(path), json.dumps(recipe, ensure_ascii=False, indent=2) + "\n")
    else:
        write_whole(Path(path), yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True))


def why_not(op: str, bound: Bound, arguments: Mapping[str, Any]) -> str | None:
    """Why a bound cannot be refined whatever was seen, None where it can."""
    if not is_numeric(op, bound.argument):
        return "it is not a plain number"
    if arguments.get("reversed_range"):
        return "reversed_range keeps what lies outside of the bounds"
    return None


def is_no_bound(value: Any) -> bool:
    """Whether a default says that there is no bound: Data-Juicer uses the largest numbers there are for that."""
    return value is None or abs(value) >= sys.maxsize


def shown(value: Any, given: bool) -> Any:
    """A bound as people read it; `given` is whether the recipe has it."""
    if value is None or (not given and is_no_bound(value)):
        return "none"
    return value if given else f"{value} (default)"
