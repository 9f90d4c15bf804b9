"""What the return annotation of a component's work says of its result, for a plan that knows no more."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence, Set
from typing import Any

from djsandbox.components.deferred import DECIDED_AT_RUN, DecidedAtRun
from djsandbox.components.model_executor import BaseModelExecutor

_KINDS: tuple[tuple[type, str], ...] = (
    (str, "a text"),
    (bool, "a bool"),
    (os.PathLike, "a path"),
    (Mapping, "a mapping"),
    (Sequence, "a list"),
    (Set, "a set"),
)
_SINGLE = (str, int, float, os.PathLike)


def annotated_result(component: object) -> Any:
    """What `run` (of a model executor: `_run`) returns, as far as its annotation says that it is no number, or has no parts.

    A tuple of known length is one of several results. `DECIDED_AT_RUN` where the annotation says nothing, or cannot be read.
    """
    method = type(component)._run if isinstance(component, BaseModelExecutor) else getattr(type(component), "run", None)
    try:
        return _result(typing.get_type_hints(method).get("return", Any))
    except (NameError, AttributeError, TypeError, SyntaxError):  # of a type imported for type checkers alone, for one
        return DECIDED_AT_RUN


def _result(annotation: Any) -> Any:
    parts = typing.get_args(annotation)
    if (typing.get_origin(annotation) or annotation) is not tuple:
        return _value(annotation)
    return tuple(_value(part) for part in parts) if parts and Ellipsis not in parts else DECIDED_AT_RUN


def _value(annotation: Any) -> DecidedAtRun:
    kind, is_single = _kind(annotation), _is_single(annotation)
    return DecidedAtRun(kind, _item(annotation), is_single) if kind or is_single else DECIDED_AT_RUN


def _is_single(annotation: Any) -> bool:
    """Whether nothing of it has parts that an address could name."""
    return all(isinstance(one, type) and issubclass(one, _SINGLE) for one in _alternatives(annotation))


def _alternatives(annotation: Any) -> list[Any]:
    """The types of a union, or the only one; without None."""
    is_union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    parts = typing.get_args(annotation) if is_union else (annotation,)
    return [part for part in parts if part is not types.NoneType] or [annotation]


def _item(annotation: Any) -> DecidedAtRun | None:
    """What each item is of what is annotated as `dict[str, float]` or `list[str]`."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    counts = {dict: 2, Mapping: 2, MutableMapping: 2, list: 1, Sequence: 1, MutableSequence: 1}
    return _value(parts[-1]) if parts and counts.get(origin) == len(parts) else None


def _kind(annotation: Any) -> str:
    alternatives = _alternatives(annotation)
    if alternatives != [annotation]:
        kinds = [_kind(part) for part in alternatives]
        return " or ".join(dict.fromkeys(kinds)) if all(kinds) else ""
    actual = typing.get_origin(annotation) or annotation
    found = (kind for known, kind in _KINDS if isinstance(actual, type) and issubclass(actual, known))
    return next(found, "")
