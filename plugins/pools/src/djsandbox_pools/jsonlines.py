"""A JSON-lines file as raw rows: where each row lies, and its bytes as they are."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from djsandbox import ComponentError

Indices = npt.NDArray[np.int64]
_SCAN_BYTES = 1 << 26
_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_WHAT_IT_TAKES = "a data pool is an uncompressed UTF-8 file with one JSON object a line (JSON lines)"


class JsonLines:
    """The rows of a JSON-lines file.

    Only the rows' offsets are held (16 bytes a row); their bytes are read from the file as they are asked for, so that a file
    may be larger than memory and any number of files may be indexed at once. A row is the text of one JSON object, without
    the white space around it: blank lines, a byte-order mark, CRLF and a last line without an end are all understood.
    Raises ComponentError where the file is missing, has no rows, or holds something else than one object a line.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        source = Path(path)
        if not source.exists():
            raise ComponentError(f"the data pool {path} does not exist", fix="correct the path, or run the job that writes it")
        if source.is_dir():
            raise ComponentError(f"the data pool {path} is a folder", fix=f"name the file itself: {_WHAT_IT_TAKES}")
        self._size = source.stat().st_size
        self._starts, self._stops = self._index() if self._size else (np.empty(0, np.int64), np.empty(0, np.int64))
        if not len(self):
            raise ComponentError(f"the data pool {path} has no rows", fix="see why the job that wrote it kept nothing")

    def __len__(self) -> int:
        return len(self._starts)

    def rows(self, indices: Indices | None = None) -> Iterator[bytes]:
        """The bytes of each row, in the order of `indices` (default: as in the file)."""
        starts = self._starts if indices is None else self._starts[indices]
        stops = self._stops if indices is None else self._stops[indices]
        with self._mapped() as data:
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                yield data[start:stop]

    def objects(self) -> Iterator[dict[str, Any]]:
        """Each row parsed, in the order of the file."""
        for index, row in enumerate(self.rows()):
            yield self._parsed(index, row)

    def _parsed(self, index: int, row: bytes) -> dict[str, Any]:
        try:
            return orjson.loads(row)  # type: ignore[no-any-return]
        except orjson.JSONDecodeError:
            pass  # NaN, Infinity and lone surrogates are refused by orjson alone
        try:
            return json.loads(row)  # type: ignore[no-any-return]
        except ValueError as error:
            raise self._bad_line(self._line_number(index), f"is not valid JSON: {error}") from error

    def _mapped(self) -> mmap.mmap:
        try:
            with Path(self.path).open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ComponentError(f"cannot read the data pool {self.path}: {error}") from error
        if len(data) != self._size:
            data.close()
            raise ComponentError(f"the data pool {self.path} changed while it was read", fix="run again when nothing writes it")
        return data

    def _index(self) -> tuple[Indices, Indices]:
        with self._mapped() as data:
            view = np.frombuffer(data, dtype=np.uint8)
            try:
                starts, stops = _lines(view)
                filled = stops > starts
                odd = filled.copy()
                odd[filled] = (view[starts[filled]] != ord("{")) | (view[stops[filled] - 1] != ord("}"))
            finally:
                del view  # the map cannot be closed while an array looks into it
            for line in np.flatnonzero(odd).tolist():
                starts[line], stops[line] = self._trimmed(data, line, int(starts[line]), int(stops[line]))
        filled = stops > starts
        return starts[filled], stops[filled]

    def _trimmed(self, data: mmap.mmap, line: int, start: int, stop: int) -> tuple[int, int]:
        while start < stop and data[start] in _BLANKS:
            start += 1
        while start < stop and data[stop - 1] in _BLANKS:
            stop -= 1
        if start < stop and data[start] != ord("{"):
            raise self._bad_line(line + 1, f"is not a JSON object: {data[start : min(stop, start + 40)]!r}")
        if start < stop and data[stop - 1] != ord("}"):
            raise self._bad_line(line + 1, "is not a whole JSON object; the file may have been cut off")
        return start, stop

    def _line_number(self, index: int) -> int:
        end, lines = int(self._starts[index]), 1
        with self._mapped() as data:
            for at in range(0, end, _SCAN_BYTES):
                lines += data[at : min(end, at + _SCAN_BYTES)].count(b"\n")
        return lines

    def _bad_line(self, line: int, what: str) -> ComponentError:
        return ComponentError(f"line {line} of {self.path} {what}", fix=_WHAT_IT_TAKES)


def shared_keys(first: Iterable[JsonLines], second: Iterable[JsonLines]) -> set[str]:
    """Top-level keys that stand both in rows of `first` and in rows of `second`."""

    def keys(pools: Iterable[JsonLines]) -> set[str]:
        return {key for pool in pools for row in pool.objects() for key in row}

    return keys(first) & keys(second)


def _lines(view: npt.NDArray[np.uint8]) -> tuple[Indices, Indices]:
    """First and one-past-last byte of every line, its end (LF or CRLF) left out."""
    found = [np.flatnonzero(view[at : at + _SCAN_BYTES] == ord("\n")) + at for at in range(0, len(view), _SCAN_BYTES)]
    if view[-1] != ord("\n"):
        found.append(np.array([len(view)]))
    stops = np.concatenate(found).astype(np.int64)
    starts = np.empty_like(stops)
    starts[0] = len(_BOM) if view[: len(_BOM)].tobytes() == _BOM else 0
    starts[1:] = stops[:-1] + 1
    stops -= (stops > starts) & (view[stops - 1] == ord("\r"))
    return starts, stops
