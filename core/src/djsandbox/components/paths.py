"""Typed paths of a component's Config, and the one walk over them that everything else is made from."""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator

_LONGEST_PATH = 4096
PathKind = Literal["input", "output", "reference"]
Loc = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PathMarker:
    """Says of a string field what kind of path it is; of an output, whether the job adds to what is there."""

    kind: PathKind
    appends: bool = False


def _single(value: object) -> object:
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise ValueError(f"takes one path, got {len(value)}")
        value = value[0]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _listed(value: object) -> object:
    return [value] if isinstance(value, (str, os.PathLike)) else value


InputPath = Annotated[str, BeforeValidator(_single), PathMarker("input")]
"""A file or folder that must exist or be an earlier job's output; its content enters the content key."""

OutputPath = Annotated[str, BeforeValidator(_single), PathMarker("output")]
"""A file or folder the job writes; never in the content key; goes through placement."""

AppendPath = Annotated[str, BeforeValidator(_single), PathMarker("output", appends=True)]
"""An output file that the job adds to, as other jobs may, too: what is in it stays."""

ReferencePath = Annotated[str, BeforeValidator(_single), PathMarker("reference")]
"""A file or folder that must exist; its path, not its content, enters the content key (weights, checkouts)."""

InputPaths = Annotated[list[InputPath], BeforeValidator(_listed)]
"""One or more input paths; a single string is a list of one."""

OutputPaths = Annotated[list[OutputPath], BeforeValidator(_listed)]
"""One or more output paths; a single string is a list of one."""


@dataclass(frozen=True, slots=True)
class PathUse:
    """One path found in a config: the field it stands in, its kind and its value, and whether a job adds to it."""

    loc: Loc
    kind: PathKind
    value: str
    appends: bool = False


def path_uses(config: BaseModel) -> Iterator[PathUse]:
    """Every typed path that is set in `config`, in field order, nested models and lists included."""
    for name, info in type(config).model_fields.items():
        # A config that could not be validated as a whole may lack fields; what it has is still looked at.
        yield from _walk(info.annotation, tuple(info.metadata), getattr(config, name, None), (name,))


def replace_paths(config: ModelT, new_value: Callable[[PathUse], str]) -> ModelT:
    """A copy of `config` in which each typed path is what `new_value` makes of it."""
    changed: dict[str, Any] = {}
    for use in path_uses(config):
        value = new_value(use)
        if value != use.value:
            head, *rest = use.loc
            name = str(head)
            changed[name] = _with_value(changed.get(name, getattr(config, name)), tuple(rest), value)
    return config.model_copy(update=changed) if changed else config


def texts_of(data: Any) -> set[str]:
    """All texts in nested plain data that could be paths."""
    if isinstance(data, str):
        return {data} if data and len(data) < _LONGEST_PATH and "\n" not in data and "\0" not in data else set()
    if isinstance(data, Mapping):
        return {text for item in data.values() for text in texts_of(item)}
    if isinstance(data, (list, tuple, set, frozenset)):
        return {text for item in data for text in texts_of(item)}
    return set()


def is_output_field(model: type[BaseModel], loc: Loc) -> bool:
    """True where the field of `model` that `loc` leads to or into is, or may hold, an output path."""
    info = model.model_fields.get(str(loc[0])) if loc else None
    return info is not None and _marks_output(info.annotation, info.metadata)


def _marks_output(annotation: Any, metadata: Sequence[Any]) -> bool:
    if any(isinstance(item, PathMarker) and item.kind == "output" for item in metadata):
        return True
    return any(_marks_output(part, getattr(part, "__metadata__", ())) for part in get_args(annotation))


def holds_path_in_set(annotation: Any, *, inside: bool = False) -> bool:
    """True where `annotation` has a typed path among the items of a set."""
    if inside and any(isinstance(item, PathMarker) for item in getattr(annotation, "__metadata__", ())):
        return True
    inside = inside or get_origin(annotation) in (set, frozenset)
    return any(holds_path_in_set(argument, inside=inside) for argument in get_args(annotation))


def _walk(annotation: Any, metadata: tuple[Any, ...], value: object, loc: Loc) -> Iterator[PathUse]:
    if value is None:
        return
    marker = next((item for item in metadata if isinstance(item, PathMarker)), None)
    if marker is not None:
        if isinstance(value, str):
            yield PathUse(loc, marker.kind, value, marker.appends)
        return
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Annotated:
        yield from _walk(arguments[0], arguments[1:], value, loc)
    elif origin in (Union, types.UnionType):
        yield from _walk_union(arguments, value, loc)
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _walk(info.annotation, tuple(info.metadata), getattr(value, name), (*loc, name))
    elif isinstance(value, Mapping) and len(arguments) == 2:
        for key, item in value.items():
            yield from _walk(arguments[1], (), item, (*loc, key))
    elif isinstance(value, (list, tuple)) and arguments:
        for index, item in enumerate(value):
            yield from _walk(_item_annotation(arguments, index), (), item, (*loc, index))


def _item_annotation(arguments: tuple[Any, ...], index: int) -> Any:
    """`list[T]` and `tuple[T, ...]` have one annotation for all items, `tuple[A, B]` one for each."""
    if len(arguments) == 1 or arguments[1] is Ellipsis:
        return arguments[0]
    return arguments[min(index, len(arguments) - 1)]


def _walk_union(arguments: tuple[Any, ...], value: object, loc: Loc) -> Iterator[PathUse]:
    seen: set[Loc] = set()
    for argument in arguments:
        for use in _walk(argument, (), value, loc):
            if use.loc not in seen:
                seen.add(use.loc)
                yield use


def _with_value(container: Any, loc: Loc, value: str) -> Any:
    if not loc:
        return value
    head, *rest = loc
    if isinstance(container, BaseModel):
        return container.model_copy(update={str(head): _with_value(getattr(container, str(head)), tuple(rest), value)})
    if isinstance(container, Mapping):
        return {**container, head: _with_value(container[head], tuple(rest), value)}
    items = list(container)
    items[int(head)] = _with_value(items[int(head)], tuple(rest), value)
    return tuple(items) if isinstance(container, tuple) else items
