"""The operators and config keys of Data-Juicer, as the generated `catalogue.json` has them; Data-Juicer is not imported."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


@functools.cache
def catalogue() -> Mapping[str, Any]:
    """The whole catalogue, read once."""
    loaded: dict[str, Any] = json.loads((files("djsandbox_datajuicer") / "catalogue.json").read_text(encoding="utf-8"))
    return loaded


def config_keys() -> Mapping[str, Mapping[str, Any]]:
    """Global key of a recipe -> `type`, limits and `choices` as far as they are known."""
    return catalogue()["keys"]  # type: ignore[no-any-return]


def operators() -> Mapping[str, Mapping[str, Any]]:
    """Operator name -> `kind`, `args`, and for filters `stats`, `bounds`, `stat_free`; `reads` (Data-Juicer's folders)."""
    return catalogue()["ops"]  # type: ignore[no-any-return]


def arguments_of(op: str) -> dict[str, Mapping[str, Any]]:
    """Every argument that `op` takes, those of its generic class included."""
    entry = operators()[op]
    base = catalogue()["base_args"]
    inherited = {**base["op"], **base["filter"]} if entry["kind"] == "filter" else base["op"]
    return {**inherited, **entry["args"]}


def deciding_arguments(op: str) -> frozenset[str]:
    """Arguments of a filter that decide which samples are kept and leave its statistics as they are."""
    base = catalogue()["base_args"]["filter"]
    general = {name for name, described in base.items() if described.get("decides")}
    return frozenset(general.union(operators()[op].get("stat_free", ())))
