"""Content hashes of files and folders, remembered as long as the file is provably the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from pathlib import Path

from djsandbox.errors import SandboxError
from djsandbox.journal.atomic import write_atomically
from djsandbox.journal.tree import Entry, children

_CACHE_VERSION = 1
_RACY_NS = 2_000_000_000
Identity = tuple[int, int, int, int]


class Fingerprints:
    """Hashes by content: of a file its bytes, of a folder the names and contents of all that is in it.

    Symbolic links count as what they point to, hidden files like any other. With `cache_file`, hashes are kept between
    processes (`save`). A hash is reused while size, mtime, ctime and inode are as they were; a file that had changed less
    than two seconds before it was hashed is hashed again, because one more change could leave the same times behind.
    """

    def __init__(self, cache_file: Path | None = None) -> None:
        self._cache_file = cache_file
        self._cache = _load(cache_file) if cache_file else {}
        self._changed = False

    def of(self, path: str | Path) -> str:
        """The fingerprint, `sha256:` and 64 hex digits; FileNotFoundError where there is nothing."""
        absolute = os.path.abspath(path)
        info = os.stat(absolute)
        if stat.S_ISDIR(info.st_mode):
            return self._folder(absolute, ((info.st_dev, info.st_ino),))
        if stat.S_ISREG(info.st_mode):
            return self._file(absolute)
        raise SandboxError(f"{absolute} is neither a file nor a folder", fix="give a file or a folder")

    def save(self) -> None:
        """Write the cache file, without what no longer exists."""
        if self._cache_file is None or not self._changed:
            return
        kept = {path: [*identity, digest] for path, (identity, digest) in self._cache.items() if os.path.lexists(path)}
        self._cache_file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._cache_file, json.dumps({"version": _CACHE_VERSION, "files": kept}))
        self._changed = False

    def _file(self, path: str) -> str:
        known = self._cache.get(path)
        if known is not None and known[0] == _identity(os.stat(path)):
            return known[1]
        begun = time.time_ns()
        with open(path, "rb") as file:
            before = os.fstat(file.fileno())
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            after = os.fstat(file.fileno())
        steady = _identity(before) == _identity(after)
        if steady and begun - max(after.st_mtime_ns, after.st_ctime_ns) >= _RACY_NS:
            self._cache[path] = (_identity(after), digest)
            self._changed = True
        return digest

    def _folder(self, path: str, above: tuple[tuple[int, int], ...]) -> str:
        total = hashlib.sha256()
        for entry in children(path, above):
            total.update(b"%s\0%s\0%s\0" % (entry.kind.encode(), os.fsencode(entry.name), self._content(entry, above)))
        return f"sha256:{total.hexdigest()}"

    def _content(self, entry: Entry, above: tuple[tuple[int, int], ...]) -> bytes:
        if entry.kind == "file":
            return self._file(entry.path).encode()
        if entry.kind == "folder":
            return self._folder(entry.path, (*above, entry.identity)).encode()
        return os.fsencode(os.readlink(entry.path)) if entry.kind == "link" else b""


def stamp(path: str | Path) -> tuple[int, int, int]:
    """Size, mtime (ns) and inode of a file: equal while nobody has written it. FileNotFoundError where there is none."""
    info = os.stat(path)
    return info.st_size, info.st_mtime_ns, info.st_ino


def snapshot(path: str | Path) -> dict[str, tuple[int, int, int]]:
    """The stamps of all files at or under `path`, by their path as `path` begins it; empty where there is nothing."""
    root = os.fspath(path)
    try:
        info = os.stat(root)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    if not stat.S_ISDIR(info.st_mode):
        return {root: stamp(root)}
    stamps: dict[str, tuple[int, int, int]] = {}
    _stamp_folder(root, ((info.st_dev, info.st_ino),), stamps)
    return stamps


def _stamp_folder(path: str, above: tuple[tuple[int, int], ...], stamps: dict[str, tuple[int, int, int]]) -> None:
    for entry in children(path, above):
        if entry.kind == "folder":
            _stamp_folder(entry.path, (*above, entry.identity), stamps)
        elif entry.kind == "file":
            with contextlib.suppress(FileNotFoundError):  # gone since the folder was listed
                stamps[entry.path] = stamp(entry.path)


def _identity(info: os.stat_result) -> Identity:
    # The ctime, too: tools that restore an mtime (cp -p, rsync, tar) cannot restore that one.
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def _load(cache_file: Path) -> dict[str, tuple[Identity, str]]:
    try:
        data = json.loads(cache_file.read_bytes())
        if data["version"] != _CACHE_VERSION:
            return {}
        return {
            path: ((size, mtime, ctime, inode), digest) for path, (size, mtime, ctime, inode, digest) in data["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # only a cache: what cannot be read is computed again
