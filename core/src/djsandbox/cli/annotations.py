"""Type annotations as a user of a config reads them."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from djsandbox.components.paths import PathMarker
from djsandbox.plugins.functions import NamedFunction

_NAMES = {
    NamedFunction: "function",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    type(None): "nothing",
    Any: "anything",
}


def annotation_text(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """`list[InputPath] | None` as "list of input path, or nothing": names of the field, no Python."""
    marker = next((item for item in metadata if isinstance(item, PathMarker)), None)
    if marker is not None:
        return f"{marker.kind} path"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotation_text(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(annotation_text(argument) for argument in arguments))
    if origin is Literal:
        return " | ".join(str(argument) for argument in arguments)
    if origin in (list, set, frozenset) or (origin is tuple and arguments[1:] == (Ellipsis,)):
        return f"list of {annotation_text(arguments[0])}"
    if origin is tuple:
        return "list of " + ", ".join(annotation_text(argument) for argument in arguments)
    if origin is dict:
        return f"mapping of {annotation_text(arguments[1])}"
    return _NAMES.get(annotation, "mapping" if annotation is dict else getattr(annotation, "__name__", str(annotation)))
