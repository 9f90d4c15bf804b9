"""Real videos without a library: MP4 files whose frames are PNG pictures, which ffmpeg and what is built on it can play."""

from __future__ import annotations

import hashlib
import struct
import zlib

_SIDE = 64
_SQUARE = 16
_UNITS = 12_800
"""Of time in a second; the common rates divide it."""
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def mp4(text: str, frames: int, fps: int) -> bytes:
    """A square moves over a ground; their colours and the way it takes are made of `text`, and always the same for the same.

    The file has 64 x 64 pixels, and `frames` frames, `fps` a second.
    """
    pictures = [_picture(hashlib.sha256(text.encode()).digest(), at) for at in range(frames)]
    start = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
    length = frames * (_UNITS // fps)
    tables = _box(b"stbl", _description(), *_tables(pictures, _UNITS // fps, len(start) + 8))
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">6I", 0, 0, 0, _UNITS, length, 0x55C40000)),
        _box(b"hdlr", bytes(8), b"vide", bytes(12), b"pictures\0"),
        _box(b"minf", _box(b"vmhd", struct.pack(">3I", 1, 0, 0)), _box(b"dinf", _where()), tables),
    )
    header = struct.pack(">5I", 0, 0, 0, _UNITS, length) + struct.pack(">IHH8x", 0x10000, 0x100, 0) + _MATRIX + bytes(24)
    track = struct.pack(">6I", 3, 0, 0, 1, 0, length) + bytes(16) + _MATRIX + struct.pack(">2I", _SIDE << 16, _SIDE << 16)
    movie = _box(b"moov", _box(b"mvhd", header, struct.pack(">I", 2)), _box(b"trak", _box(b"tkhd", track), media))
    return start + _box(b"mdat", *pictures) + movie


def _box(kind: bytes, *content: bytes) -> bytes:
    whole = b"".join(content)
    return struct.pack(">I", len(whole) + 8) + kind + whole


def _description() -> bytes:
    entry = struct.pack(">6xH16x2H", 1, _SIDE, _SIDE) + struct.pack(">3IH", 0x480000, 0x480000, 0, 1)
    return _box(b"stsd", struct.pack(">2I", 0, 1), _box(b"png ", entry, bytes(32), struct.pack(">Hh", 24, -1)))


def _where() -> bytes:
    return _box(b"dref", struct.pack(">2I", 0, 1), _box(b"url ", struct.pack(">I", 1)))


def _tables(pictures: list[bytes], duration: int, begin: int) -> list[bytes]:
    """How long the pictures last, that they are one chunk, how large they are, and where they begin."""
    count, sizes = len(pictures), [len(one) for one in pictures]
    return [
        _box(b"stts", struct.pack(">4I", 0, 1, count, duration)),
        _box(b"stsc", struct.pack(">5I", 0, 1, 1, count, 1)),
        _box(b"stsz", struct.pack(f">{count + 3}I", 0, 0, count, *sizes)),
        _box(b"stco", struct.pack(">3I", 0, 1, begin)),
    ]


def _picture(seed: bytes, at: int) -> bytes:
    """The frame number `at`, a PNG."""
    ground, square = seed[:3], seed[3:6]
    left, top = ((seed[6 + axis] + at * (1 + seed[8 + axis] % 4)) % (_SIDE - _SQUARE) for axis in (0, 1))
    plain = b"\0" + ground * _SIDE
    crossed = b"\0" + ground * left + square * _SQUARE + ground * (_SIDE - _SQUARE - left)
    rows = plain * top + crossed * _SQUARE + plain * (_SIDE - _SQUARE - top)
    header = struct.pack(">2I5B", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
