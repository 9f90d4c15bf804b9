"""Rows of a dataset, read one after the other: JSON lines, or one JSON list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from djsandbox.errors import ComponentError, Position

_CHUNK = 1 << 20
_WANTED = "rows are JSON objects: one a line, or in one JSON list"
Row = dict[str, Any]


def read_rows(path: str) -> Iterator[tuple[int, Row]]:
    """Each row with its number, from 1; what is read is never more than a few rows at once.

    A number is that of the line, or in a list that of the row. Raises ComponentError where something else stands there.
    """
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            rows = _from_list(file, path) if _is_list(file) else _from_lines(file, path)
            for number, row in rows:
                if not isinstance(row, dict):
                    raise ComponentError(
                        f"this row is no JSON object: {str(row)[:80]}", where=Position(path, number), fix=_WANTED
                    )
                yield number, row
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"{path} cannot be read: {error}", fix=_WANTED) from error


def is_json_list(path: str) -> bool:
    """Whether the file is one JSON list; False where it cannot be read."""
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            return _is_list(file)
    except (OSError, UnicodeDecodeError):
        return False


def write_rows(target: Path, rows: Iterable[Row]) -> int:
    """Write JSON lines, which appear under their name when they are whole; returns how many."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    count = 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for count, row in enumerate(rows, start=1):  # noqa: B007 - it is what is returned
                file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count


def refuse_overwriting(target: Path, sources: Iterable[str]) -> None:
    """ComponentError where `target` is one of the files that are read."""
    if any(target.exists() and Path(one).exists() and target.samefile(one) for one in sources):
        raise ComponentError(f"{target} is read by this job and would be overwritten", fix="choose another export_path")


def _is_list(file: TextIO) -> bool:
    start = file.tell()
    letter = " "
    while letter and letter.isspace():
        letter = file.read(1)
    file.seek(start)
    return letter == "["


def _from_lines(file: TextIO, path: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise ComponentError(f"this line is no JSON: {error}", where=Position(path, number), fix=_WANTED) from error


def _from_list(file: TextIO, path: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON list, decoded as soon as enough has been read."""
    decoder = json.JSONDecoder()
    text = _without_blanks(file, file.read(_CHUNK))[1:]  # the bracket
    number = 0
    while True:
        text = _without_blanks(file, text)
        if text.startswith("]"):
            return
        number += 1
        while True:
            try:
                row, end = decoder.raw_decode(text)
                break
            except ValueError as error:
                more = file.read(_CHUNK)
                if not more:
                    raise ComponentError(
                        f"this row of the list is no JSON: {error}", where=Position(path, number), fix=_WANTED
                    ) from error
                text += more
        yield number, row
        text = _without_blanks(file, text[end:])
        if text.startswith(","):
            text = text[1:]
        elif not text.startswith("]"):
            raise ComponentError(f"after row {number} of the list in {path} there is neither ',' nor ']'", fix=_WANTED)


def _without_blanks(file: TextIO, text: str) -> str:
    """`text` from its first letter on, read on where it has none; empty at the end of the file."""
    while True:
        text = text.lstrip()
        if text:
            return text
        text = file.read(_CHUNK)
        if not text:
            return ""
