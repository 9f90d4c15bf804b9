"""Event files as TensorBoard's own writer makes them, of plain numbers."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_POLYNOMIAL = 0x82F63B78  # of CRC-32C, reversed
_VERSION = b"brain.Event:2"


class EventFile:
    """A file of its own for each writer, as every start of Trinity makes one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        self._path = folder / f"events.out.tfevents.{int(now)}.stand-in.{os.getpid()}.{time.monotonic_ns()}"
        self._append(_double(1, now) + _bytes(3, _VERSION))

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write an event for each number."""
        for key, value in metrics.items():
            number = _key(2, 5) + struct.pack("<f", value)
            event = (
                _double(1, time.time()) + _key(2, 0) + _varint(step) + _bytes(5, _bytes(1, _bytes(1, key.encode()) + number))
            )
            self._append(event)

    def _append(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        with self._path.open("ab") as file:
            file.write(length + _checksum(length) + event + _checksum(event))


def _key(number: int, kind: int) -> bytes:
    return bytes([number << 3 | kind])


def _double(number: int, value: float) -> bytes:
    return _key(number, 1) + struct.pack("<d", value)


def _bytes(number: int, content: bytes) -> bytes:
    return _key(number, 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _checksum(data: bytes) -> bytes:
    """CRC-32C, masked as in TFRecord files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
