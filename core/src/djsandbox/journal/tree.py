"""Walking a folder in a fixed order, through symbolic links but never in circles."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder. A `link` points nowhere or to a folder it lies in; `special` is a socket, pipe or device."""

    name: str
    path: str
    kind: Literal["file", "folder", "link", "special"]
    identity: tuple[int, int]
    """Device and inode."""


def children(folder: str, above: tuple[tuple[int, int], ...]) -> list[Entry]:
    """What is in `folder`, sorted by name; `above` are the identities of `folder` and the folders that led to it."""
    return [_entry(folder, name, above) for name in sorted(os.listdir(folder), key=os.fsencode)]


def _entry(folder: str, name: str, above: tuple[tuple[int, int], ...]) -> Entry:
    path = os.path.join(folder, name)
    try:
        info = os.stat(path)
    except OSError:
        if not os.path.islink(path):
            raise
        return Entry(name, path, "link", (0, 0))
    identity = (info.st_dev, info.st_ino)
    if stat.S_ISDIR(info.st_mode):
        circular = identity in above and os.path.islink(path)
        return Entry(name, path, "link" if circular else "folder", identity)
    return Entry(name, path, "file" if stat.S_ISREG(info.st_mode) else "special", identity)
