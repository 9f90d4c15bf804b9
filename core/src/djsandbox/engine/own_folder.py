"""A job's own folder: what lies in it, and emptying it but for what may be taken over.

Nothing is done behind a symbolic link, which may lead to the user's own files.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

from djsandbox.errors import SandboxError

Mark = tuple[int, int, int, int]
"""Kind, size, mtime (ns) and inode: equal while nobody has written it."""


def entries(root: str) -> dict[str, Mark]:
    """The files and links at or below `root`, links themselves; folders, sockets and the like are left out."""
    found: dict[str, Mark] = {}
    for path in [root, *_below(root)]:
        try:
            info = os.lstat(path)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode):
            found[path] = (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino)
    return found


def place_in(folder: str, path: str) -> str | None:
    """What of `folder` holds `path`: itself, or the first link on the way to it; None where it lies elsewhere."""
    place, inner = os.path.abspath(folder), os.path.abspath(path)
    if os.path.commonpath([place, inner]) != place:
        return None
    for part in Path(inner).relative_to(place).parts:
        place = os.path.join(place, part)
        if os.path.islink(place):
            break
    return place


def make_empty(folder: Path, keep: Collection[str]) -> None:
    """Make `folder`, without all that may be in it but `keep` (absolute paths of files, links and whole folders)."""
    root = os.path.abspath(folder)
    if not keep and folder.is_dir():
        shutil.rmtree(folder)
    elif root not in keep and folder.is_dir():
        _clear(root, frozenset(keep), {str(parent) for path in keep for parent in Path(path).parents})
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot create the job's folder {folder}: {error.strerror}", fix="check work_dir") from error


def _clear(folder: str, keep: Collection[str], on_the_way: Collection[str]) -> None:
    with os.scandir(folder) as listing:
        found = [entry for entry in listing if entry.path not in keep]
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
        elif entry.path in on_the_way:
            _clear(entry.path, keep, on_the_way)
        else:
            shutil.rmtree(entry.path)


def _below(root: str) -> list[str]:
    if os.path.islink(root):
        return []
    return [os.path.join(place, name) for place, folders, files in os.walk(root) for name in (*folders, *files)]
