"""The shape of a sandbox config as written, and pydantic's complaints turned into problems for the user."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from djsandbox.config.document import FULL_WIDTH, Document, Loc
from djsandbox.errors import Problem, did_you_mean, misspelt, nearest
from djsandbox.redact import is_secret


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class JobShape(_Shape):
    """The keys of a job entry."""

    hook: str
    meta_name: str | int | None = None
    input: dict[str, str] | None = None
    output: str | list[str] | None = None
    local: dict[str, Any] | None = None
    dj_configs: dict[str | int, Any] | str | None = None
    extra_configs: dict[str | int, Any] | str | None = None
    reuse: bool = True


class GlobalShape(_Shape):
    """The global keys, the job lists taken out."""

    project_name: str = "hello_world"
    experiment_name: str = "experiment1"
    work_dir: str | None = None
    hpo_config: str | None = None
    resume: bool = False
    debug: bool = False
    max_iter_num: int = Field(default=1, ge=0)
    iter_targets: list[str] | str | None = None
    iter_targets_mode: Literal["all", "any"] = "all"
    iter_updater: dict[str, str] | None = None
    launcher: str | dict[str | int, Any] | None = None
    tracker: str | dict[str | int, Any] | list[str | dict[str | int, Any]] | None = None
    hpo_backend: str | None = None


_SHOULD_BE = "Input should be "
_EXPECTED = {
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "list_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
_KINDS = ((bool, "true or false"), (Mapping, "a mapping"), (list, "a list"), ((int, float), "a number"), (str, "a text"))


def problems_of(
    error: ValidationError, document: Document, model: type[BaseModel], *, skip: Iterable[Loc] = (), known: Iterable[str] = ()
) -> list[Problem]:
    """`error` as problems with places in `document`; those at, above or below a loc of `skip` are left out.

    `known` are further keys that may stand beside the fields of `model`, for suggestions.
    """
    deferred = list(skip)
    by_loc: dict[Loc, list[Any]] = {}
    for item in error.errors(include_url=False):
        loc = _without_tags(item["loc"], document.data)
        # An unknown key is wrong whatever its value will be.
        unknown = item["type"] == "extra_forbidden"
        if not any(loc[: len(part)] == part[: len(loc)] and not (unknown and len(part) >= len(loc)) for part in deferred):
            by_loc.setdefault(loc, []).append(item)
    for loc in _only_misspelt(by_loc, model, known):
        del by_loc[loc]
    return [problem for loc, items in by_loc.items() for problem in _problems_at(loc, items, document, model, known)]


def _only_misspelt(by_loc: Mapping[Loc, list[Any]], model: type[BaseModel], known: Iterable[str]) -> list[Loc]:
    """The missing keys that an unknown one beside them is suggested to be."""
    missing = [loc for loc, items in by_loc.items() if all(item["type"] == "missing" for item in items)]
    unknown = [loc for loc, items in by_loc.items() if any(item["type"] == "extra_forbidden" for item in items)]
    found = []
    for loc in missing:
        beside = [str(other[-1]) for other in unknown if other[:-1] == loc[:-1]]
        if loc[-1] in misspelt(beside, _siblings(model, loc, known)):
            found.append(loc)
    return found


def _siblings(model: type[BaseModel], loc: Loc, known: Iterable[str]) -> list[str]:
    """The keys that may stand where the last one of `loc` does."""
    return [*_field_names(model, loc[:-1]), *(known if len(loc) == 1 else ())]


def _problems_at(
    loc: Loc, items: list[Any], document: Document, model: type[BaseModel], known: Iterable[str]
) -> Iterator[Problem]:
    """One problem for all that a value was expected to be, and one for each other complaint."""
    name, where = ".".join(str(step) for step in loc), document.at(loc)
    expected = list(dict.fromkeys(_EXPECTED[item["type"]] for item in items if item["type"] in _EXPECTED))
    if expected:
        got = "that" if loc and is_secret(str(loc[-1])) else _kind_of(items[0]["input"])
        wanted = " or ".join(expected)
        yield Problem(f"'{name}' must be {wanted}, not {got}" if name else f"expected {wanted}, not {got}", where)
    others = [_other_problem(item, loc, name, document, model, known) for item in items if item["type"] not in _EXPECTED]
    yield from dict.fromkeys(others)


def _other_problem(item: Any, loc: Loc, name: str, document: Document, model: type[BaseModel], known: Iterable[str]) -> Problem:
    where = document.at(loc)
    if item["type"] == "extra_forbidden":
        siblings = _siblings(model, loc, known)
        wide = [mark for mark in FULL_WIDTH if mark in str(loc[-1])]
        fix = f"it has the full-width '{wide[0]}': YAML needs the ASCII character" if wide else None
        return Problem(f"unknown key '{name}'", where, fix or did_you_mean(str(loc[-1]), siblings))
    if item["type"] == "missing":
        return Problem(f"the key '{name}' is missing", document.at(loc[:-1]), f"add '{loc[-1]}: ...' there")
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if message.startswith(_SHOULD_BE):
        got = "that" if loc and is_secret(str(loc[-1])) else repr(item["input"])
        message = f"must be {message.removeprefix(_SHOULD_BE)}, not {got}"
        choices = re.findall(r"'([^']*)'", item["ctx"]["expected"]) if item["type"] == "literal_error" else []
        guess = nearest(str(item["input"]), choices)
        return Problem(f"'{name}' {message}" if name else message, where, f"did you mean '{guess}'?" if guess else None)
    fix = item.get("ctx", {}).get("fix")
    return Problem(f"'{name}': {message}" if name else message, where, fix if isinstance(fix, str) else None)


def _kind_of(value: object) -> str:
    if value is None:
        return "empty"
    label = next((text for types_, text in _KINDS if isinstance(value, types_)), type(value).__name__)
    return f"{label} ({value!r})" if isinstance(value, (str, int, float)) else label


def _without_tags(loc: tuple[Any, ...], data: Any) -> Loc:
    """Drop what pydantic adds to a loc to say which member of a union it tried."""
    kept: list[str | int] = []
    for position, step in enumerate(loc):
        is_place = (isinstance(data, Mapping) and step in data) or (isinstance(data, list) and isinstance(step, int))
        if is_place:
            data = data[step]
            kept.append(step)
        elif position == len(loc) - 1 and isinstance(data, Mapping) and not _looks_like_tag(step):
            kept.append(step)
    return tuple(kept)


def _looks_like_tag(step: Any) -> bool:
    text = str(step)
    return any(mark in text for mark in "[](),") or text in {"str", "int", "float", "bool", "none", "dict", "list"}


def _field_names(model: type[BaseModel], loc: Loc) -> list[str]:
    current: Any = model
    for step in loc:
        nested = _models_in(current, step)
        if not nested:
            return []
        current = nested[0]
    return list(current.model_fields)


def _models_in(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    info = model.model_fields.get(str(step))
    return list(_models_of(info.annotation)) if info else []


def _models_of(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list, dict, tuple) or get_args(annotation):
        for argument in get_args(annotation):
            yield from _models_of(argument)
