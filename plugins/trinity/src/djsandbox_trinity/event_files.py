"""TensorBoard's event files, into which Trinity's monitor writes every number: read without TensorBoard.

A file is a sequence of records (length, its checksum, data, its checksum), each an `Event` in the encoding of protocol buffers,
of which only the step and the plain numbers are of interest (tensorflow/core/util/event.proto, framework/summary.proto).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from djsandbox_trinity.monitor import Record

PATTERN = "monitor/tensorboard/**/events.out.tfevents.*"
"""Where Trinity's monitor writes them, below the folder of a job."""

_VARINT, _LENGTH = 0, 2  # kinds of fields, beside those of a fixed size
_FIXED = {1: 8, 5: 4}
_STEP, _SUMMARY = 2, 5  # of an event
_VALUE = 1  # of a summary
_TAG, _NUMBER = 1, 2  # of a value
_Field = tuple[int, int | bytes]


def read_events(path: Path, start: int = 0) -> Iterator[Record]:
    """The numbers in a file from the byte `start` on, those of one step that follow each other together.

    What comes after a record that is not whole is left out: whoever wrote it has been stopped.
    """
    step, metrics = 0, dict[str, float]()
    for event in _records(path, start):
        found, numbers = _numbers(event)
        if found != step and metrics:
            yield Record(step, metrics)
            metrics = {}
        step = found
        metrics.update(numbers)
    if metrics:
        yield Record(step, metrics)


def _records(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while len(head := file.read(12)) == 12:
            (length,) = struct.unpack("<Q", head[:8])
            rest = file.read(min(length, 1 << 30) + 4)
            if len(rest) < length + 4:
                return
            yield rest[:length]


def _numbers(event: bytes) -> tuple[int, dict[str, float]]:
    """The step of an event, and its numbers by their tags."""
    step, numbers = 0, dict[str, float]()
    for number, content in _fields(event):
        if number == _STEP and isinstance(content, int):
            step = content
        elif number == _SUMMARY and isinstance(content, bytes):
            for inner, value in _fields(content):
                if inner == _VALUE and isinstance(value, bytes):
                    numbers.update(_tagged(value))
    return step, numbers


def _tagged(value: bytes) -> dict[str, float]:
    fields = dict(_fields(value))
    tag, number = fields.get(_TAG), fields.get(_NUMBER)
    if not isinstance(tag, bytes) or not isinstance(number, bytes) or len(number) != 4:
        return {}  # a text, a histogram, an image
    return {tag.decode("utf-8", errors="replace"): _as_written(number)}


def _as_written(raw: bytes) -> float:
    """The shortest decimal that is this single-precision number: 0.1, and not 0.10000000149011612."""
    (value,) = struct.unpack("<f", raw)
    short = (float(f"{value:.{digits}g}") for digits in range(6, 9))
    return next((one for one in short if _single(one) == raw), float(value))


def _single(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:  # rounded up beyond the largest there is
        return b""


def _fields(message: bytes) -> Iterator[_Field]:
    """The fields of a message by their numbers; nothing more after one that is not whole."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == _LENGTH:
            size, place = _varint(message, place)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            return
        if place + size > len(message):
            return
        yield number, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, place
