"""Whether the videos that were generated are whole."""

from __future__ import annotations

import os
import struct

_HEAD = 8


def is_whole_mp4(path: str) -> bool:
    """Whether the boxes that an MP4 file is made of fill it, and the index of its frames (`moov`) is among them."""
    kinds, at, size = [], 0, os.path.getsize(path)
    with open(path, "rb") as file:
        while at + _HEAD <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(_HEAD))
            if length == 1:  # it stands behind
                length = int.from_bytes(file.read(_HEAD))
            elif length == 0:  # to the end of the file
                length = size - at
            if length < _HEAD:
                return False
            kinds.append(kind)
            at += length
    return at == size and kinds[:1] == [b"ftyp"] and b"moov" in kinds
