"""Operators of the user's own, loaded into Data-Juicer as their files say now."""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from djsandbox import ComponentError

from djsandbox_datajuicer.named_files import code_of, identities

_loaded: dict[Path, dict[str, str]] = {}
"""Place of operators -> the code that was loaded from it."""


def load_current(paths: Iterable[str]) -> None:
    """Load each of `paths`, and again where its code has changed since; ComponentError where that fails.

    Data-Juicer refuses to load a place twice in one process, so what it has from there is taken out first.
    """
    for place in (Path(path).resolve() for path in paths):
        code = identities(code_of(place)) if place.exists() else {}
        if _loaded.get(place) != code:
            if place in _loaded:
                _forget(place)
            _load(place)
            _loaded[place] = code


def _load(place: Path) -> None:
    from data_juicer.config.config import load_custom_operators  # noqa: PLC0415

    before = frozenset(sys.modules)
    writes_no_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # it is known by size and second only: an edit just after could be missed
    importlib.invalidate_caches()
    try:
        load_custom_operators([str(place)])
    except (RuntimeError, ValueError) as error:
        _forget(place, keep=before)
        raise ComponentError(
            f"the operators in {place} cannot be loaded: {error}",
            fix="mend the file; where it clashes with another, rename one, or start a new process",
        ) from error
    finally:
        sys.dont_write_bytecode = writes_no_bytecode


def _forget(place: Path, keep: frozenset[str] = frozenset()) -> None:
    """Take out of this process every module that came from `place`, and what it registered with Data-Juicer."""
    _loaded.pop(place, None)
    gone = {name for name, module in list(sys.modules.items()) if name not in keep and _comes_from(module, place)}
    for registry in _registries():
        for name in [name for name, entry in registry.modules.items() if getattr(entry, "__module__", None) in gone]:
            del registry.modules[name]
    for name in gone:
        del sys.modules[name]
    linecache.checkcache()


def _comes_from(module: Any, place: Path) -> bool:
    file = getattr(module, "__dict__", {}).get("__file__")  # getattr would import what is lazy
    return isinstance(file, str) and Path(file).resolve().is_relative_to(place)


def _registries() -> list[Any]:
    from data_juicer.ops import base_op, op_fusion  # noqa: PLC0415
    from data_juicer.utils.registry import Registry  # noqa: PLC0415

    found = [value for module in (base_op, op_fusion) for value in vars(module).values() if isinstance(value, Registry)]
    return list({id(registry): registry for registry in found}.values())
