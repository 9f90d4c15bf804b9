"""Reading labelled texts from JSON lines, one row at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError, Position

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Row:
    """A text and its label; `label` is None where the row has none, `line` counts from 1."""

    text: str
    label: str | None
    line: int


def read_rows(path: str, *, text_key: str, label_key: str, label_required: bool = True) -> Iterator[Row]:
    """The rows of a JSON-lines file; empty lines are skipped, labels become text.

    Keys may be dotted (`meta.label`). Raises ComponentError with file and line for what is not a JSON object or lacks a key.
    """
    try:
        with Path(path).open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if raw.strip():
                    where = Position(path, number)
                    record = _record(raw, where)
                    yield Row(_text(record, text_key, where), _label(record, label_key, label_required, where), number)
    except OSError as error:
        raise ComponentError(f"cannot read the dataset: {error.strerror or error}", where=Position(path)) from error


def labelled(record: Mapping[str, Any], *, text_key: str, label_key: str, line: int) -> Row:
    """A row that was read already, the `line`-th of its sample; keys may be dotted. ComponentError where it lacks one."""
    where = Position("the sample", line)
    return Row(_text(record, text_key, where), _label(record, label_key, True, where), line)


def _record(raw: bytes, where: Position) -> Mapping[str, Any]:
    try:
        record = json.loads(raw)
    except ValueError as error:  # both bad JSON and bad UTF-8
        raise ComponentError(
            f"not a JSON object: {error}", where=where, fix="the dataset must be JSON lines, one row a line"
        ) from error
    if not isinstance(record, dict):
        raise ComponentError(f"expected a JSON object, got {type(record).__name__}", where=where)
    return record


def _text(record: Mapping[str, Any], key: str, where: Position) -> str:
    value = _find(record, key)
    if isinstance(value, str):
        return value
    problem = "is missing" if value is _MISSING else f"is {type(value).__name__}, not a text"
    raise ComponentError(f"the text key '{key}' {problem}", where=where, fix=f"set text_key; {_keys_of(record)}")


def _label(record: Mapping[str, Any], key: str, required: bool, where: Position) -> str | None:
    value = _find(record, key)
    if isinstance(value, (str, int)):
        return str(value)
    if (value is _MISSING or value is None) and not required:
        return None
    problem = "is missing" if value is _MISSING else f"is {type(value).__name__}, not a text or a whole number"
    raise ComponentError(f"the label key '{key}' {problem}", where=where, fix=f"set label_key; {_keys_of(record)}")


def _find(record: Mapping[str, Any], key: str) -> Any:
    if key in record:
        return record[key]
    value: Any = record
    for step in key.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return value


def _keys_of(record: Mapping[str, Any]) -> str:
    return f"the row has the keys: {', '.join(map(str, record)) or 'none'}"
