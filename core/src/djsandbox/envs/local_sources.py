"""The content of what requirements name by a path, so that a changed wheel or project is another environment."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_FILE_URL = re.compile(r"file://(?:localhost)?(/[^\s#;\[]*)")
_PATH = re.compile(r"(?:\.{1,2}|~)?/[^\[;]*")
# What building leaves in a project, and what is no part of it: it must not make another environment of it.
_NOT_SOURCE = frozenset(
    {".git", ".hg", "build", "dist", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache", ".pytest_cache"}
)


def local_digest(line: str) -> str | None:
    """SHA-256 (hex) of the file or project that a requirement names; None where it names none, or one that is not there.

    Of an editable project only what it declares counts: its code is used as it lies. The folder of an option is an index,
    of which any wheel may be used or none: it does not count, no more than an index elsewhere.
    """
    if line.startswith("-") and not line.startswith("-e "):
        return None
    path = _path_of(line.removeprefix("-e ").strip())
    if path is None or not path.exists():
        return None
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    names = PROJECT_FILES if line.startswith("-e ") else sorted(_sources(path))
    total = hashlib.sha256()
    for name in names:
        if (path / name).is_file():
            total.update(
                f"{name}\0{hashlib.sha256((path / name).read_bytes()).hexdigest()}\n".encode("utf-8", "surrogateescape")
            )
    return total.hexdigest()


def _path_of(text: str) -> Path | None:
    url = _FILE_URL.search(text)
    if url:
        return Path(unquote(url[1]))
    found = _PATH.match(text)
    return Path(found[0].strip()).expanduser().absolute() if found else None


def _sources(folder: Path) -> list[str]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_SOURCE and not name.endswith(".egg-info")]
        found += [os.path.relpath(os.path.join(place, name), folder) for name in files if not name.endswith(".pyc")]
    return found
