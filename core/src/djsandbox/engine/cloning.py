"""Copies of results that take no room of their own, where the file system can make such.

Never hard links: a later job that writes into its file in place would change the results of all who have it.
"""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

_FICLONE = 0x40049409
"""The request of Linux that lets two files share their blocks until one of them is written: btrfs, XFS, bcachefs, overlays."""


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder with all that is in it, with times and modes; folders on the way are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_copy_file, dirs_exist_ok=True)
    else:
        _copy_file(str(source), str(target))


def _copy_file(source: str, target: str) -> str:
    if not _cloned(source, target):
        shutil.copyfile(source, target)
    shutil.copystat(source, target)
    return target


def _cloned(source: str, target: str) -> bool:
    with open(source, "rb") as reading, open(target, "wb") as writing:
        try:
            fcntl.ioctl(writing, _FICLONE, reading.fileno())
        except OSError:  # another file system, or one that cannot
            return False
    return True
