"""Rows of JSON files, one by one: lists and JSON lines, whatever the name says."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, TextIO

from djsandbox.errors import ComponentError

_CHUNK = 1 << 16
_BETWEEN = " \t\r\n,"


def rows_of(path: str) -> Iterator[dict[str, Any]]:
    """The rows of a JSON list, of JSON lines, or of a .csv file; ComponentError where it is none of them."""
    try:
        with open(path, encoding="utf-8-sig", newline="" if path.endswith(".csv") else None) as file:
            if path.endswith(".csv"):
                yield from csv.DictReader(file)
                return
            begin = file.read(1)
            while begin.isspace():
                begin = file.read(1)
            found = _of_list(file) if begin == "[" else _of_lines(begin, file)
            for number, row in enumerate(found, start=1):
                if not isinstance(row, dict):
                    raise ComponentError(f"row {number} of {path} is no mapping", fix="write one JSON object for each sample")
                yield row
    except UnicodeDecodeError as error:
        raise ComponentError(f"{path} is no UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        fix = "the file must be a JSON list, or JSON lines"
        raise ComponentError(
            f"{path} cannot be read: {error.msg} near: {error.doc[error.pos : error.pos + 60]!r}", fix=fix
        ) from error


def _of_lines(begin: str, file: TextIO) -> Iterator[Any]:
    for line in chain([begin + file.readline()], file):
        if line.strip():
            yield json.loads(line)


def _of_list(file: TextIO) -> Iterator[Any]:
    decoder, buffer = json.JSONDecoder(), ""
    while True:
        buffer = buffer.lstrip(_BETWEEN)
        if buffer.startswith("]"):
            return
        try:
            row, end = decoder.raw_decode(buffer)
        except json.JSONDecodeError:
            more = file.read(max(_CHUNK, len(buffer)))
            if not more:
                raise
            buffer += more
            continue
        yield row
        buffer = buffer[end:]
