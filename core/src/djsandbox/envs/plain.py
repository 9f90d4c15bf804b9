"""The parts of a recipe are plain data of the kinds that their annotations say, or they are refused when it is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints


def keep_plain(part: Any) -> None:
    """Make tuples of the sequences of a frozen dataclass, texts of its paths, and of its mappings ones that cannot change.

    Raises TypeError or ValueError, with the field, for what is of another kind than the field's annotation says.
    """
    name, of = getattr(part, "name", None), part.__class__
    whose = f"{of.__name__} '{name}'" if isinstance(name, str) else of.__name__
    for field, kind in _kinds(of).items():
        object.__setattr__(part, field, _plain(f"{whose}: {field}", getattr(part, field), kind))


def variable_fault(name: object, value: object) -> str | None:
    """What keeps an environment variable from being set, in words that follow its name; None where nothing does."""
    if not isinstance(name, str) or not isinstance(value, str):
        return "names and values are texts"
    if not name or "=" in name or "\0" in name:
        return "a name is not empty and has neither '=' nor a NUL in it"
    return "a value has no NUL in it" if "\0" in value else None


@lru_cache(maxsize=16)
def _kinds(of: type) -> Mapping[str, Any]:
    return get_type_hints(of)


def _plain(what: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return value  # the class itself tells what can be chosen
    if get_origin(kind) is tuple:
        if isinstance(value, (str, bytes, os.PathLike, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"{what} is a sequence, not {value!r}")
        return tuple(_plain(f"{what}[{place}]", one, get_args(kind)[0]) for place, one in enumerate(value))
    if get_origin(kind) is Mapping:
        return _variables(what, value)
    if isinstance(kind, type) and kind is not str:
        if not isinstance(value, kind):
            raise TypeError(f"{what} is to be {kind.__name__}(...), not {value!r}")
        return value
    return None if value is None and type(None) in get_args(kind) else _text(what, value)


def _text(what: str, value: object) -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(f"{what} is a text, not {value!r}")
    if "\0" in text:
        raise ValueError(f"{what} has a NUL in it: {text!r}")
    return text


def _variables(what: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is a mapping of texts to texts, not {value!r}")
    for name, text in value.items():
        fault = variable_fault(name, text)
        if fault is not None:
            raise (TypeError if "texts" in fault else ValueError)(f"{what}, {name!r}: {fault}")
    return MappingProxyType(dict(value))
