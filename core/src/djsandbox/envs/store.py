"""The environments that recipes have made, and what their making has left.

Each lies in a folder of its own under `builds`, where it is made and stays, for what is installed holds full paths. A link
under `ready`, put there last and at once, is what makes it exist: `ready/<key> -> ../builds/<key>.<random>`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.envs.lock import FileLock, is_held
from djsandbox.envs.places import store_folder
from djsandbox.errors import SandboxError
from djsandbox.journal.atomic import sync_folder, write_atomically

_MARKER = "ready.json"
_USED = "used"
_BUSY = "busy"


@dataclass(frozen=True)
class Entry:
    """An environment in the store; `problem` says why it cannot be used, `used` is the time of its last use (s since 1970)."""

    key: str
    folder: Path
    facts: Mapping[str, Any]
    used: float
    problem: str | None = None

    @property
    def path(self) -> Path:
        """The prefix."""
        return self.folder / "env"

    @property
    def is_busy(self) -> bool:
        """Whether a command that we started is running in it."""
        return is_held(self.folder / _BUSY)


class Store:
    """The store in `folder`, by default the one that DJSANDBOX_ENVS or the user's cache holds."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or store_folder()
        self.builds = self.folder / "builds"
        self.links = self.folder / "ready"

    def lock(self, key: str) -> FileLock:
        """The lock under which the environment of `key` is made or removed."""
        return FileLock(self._lock_file(key), f"the environment {key}")

    def is_being_made(self, key: str) -> bool:
        """Whether somebody has the lock of `key`."""
        return is_held(self._lock_file(key))

    def _lock_file(self, key: str) -> Path:
        return self.folder / "locks" / f"{key}.lock"

    def log_file(self, key: str) -> Path:
        """Where the last attempt to make `key` wrote what it did."""
        return self.folder / "logs" / f"{key}.log"

    def find(self, key: str) -> Entry | None:
        """The environment of `key`, whole or broken; None where there is none."""
        try:
            folder = (self.links / os.readlink(self.links / key)).resolve()
        except OSError:
            return None
        return _entry(key, folder)

    def entries(self) -> list[Entry]:
        """All environments, by key."""
        names = (path.name for path in _within(self.links))
        return [entry for name in names if not name.startswith(".") and (entry := self.find(name)) is not None]

    def begin(self, key: str) -> Path:
        """A new folder to make `key` in, whose `busy` file is to be held by all that works in it."""
        folder = self.builds / f"{key}.{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        (folder / _BUSY).touch()
        return folder

    def finish(self, key: str, folder: Path, facts: Mapping[str, Any]) -> Entry:
        """Let what was made in `folder` be the environment of `key` from now on."""
        (folder / _USED).touch()
        write_atomically(folder / _MARKER, json.dumps({**facts, "folder": str(folder)}, ensure_ascii=False, indent=1))
        self.links.mkdir(parents=True, exist_ok=True)
        draft = self.links / f".{key}.{secrets.token_hex(4)}"
        draft.symlink_to(os.path.relpath(folder, self.links))
        draft.replace(self.links / key)
        sync_folder(self.links)
        return _entry(key, folder)

    def leftovers(self, key: str | None = None) -> Iterator[Path]:
        """Folders in which something was begun that nobody is finishing: all, or those of `key`, whose lock one then has."""
        current = {entry.folder for entry in self.entries()}
        for folder in _within(self.builds):
            its_key = folder.name.rpartition(".")[0]
            mine = key == its_key or (key is None and not self.is_being_made(its_key))
            if mine and folder.resolve() not in current:
                yield folder

    def discard_leftovers(self, key: str) -> list[Path]:
        """Remove what broken-off builds of `key` have left; only for who has its lock."""
        gone = []
        for folder in list(self.leftovers(key)):
            if not is_held(folder / _BUSY):
                discard(folder)
                gone.append(folder)
        return gone

    def remove(self, entry: Entry) -> None:
        """Remove an environment. SandboxError where a command is running in it."""
        with self.lock(entry.key):
            if entry.is_busy:
                raise SandboxError(f"the environment {entry.key} is in use", fix="wait until what runs in it has ended")
            with contextlib.suppress(FileNotFoundError):
                (self.links / entry.key).unlink()
            discard(entry.folder)
            self.log_file(entry.key).unlink(missing_ok=True)


def busy_file(folder: Path) -> Path:
    """The file that is held (shared) while something works in the build `folder`."""
    return folder / _BUSY


def mark_used(folder: Path) -> None:
    """Note that the environment in a build `folder` was used now."""
    with contextlib.suppress(OSError):  # a store that may only be read
        os.utime(folder / _USED)


def discard(folder: Path) -> None:
    """Remove a folder, also where another process is removing it and where files in it are read-only."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        for place, folders, _files in os.walk(folder):
            for name in folders:
                with contextlib.suppress(OSError):
                    os.chmod(os.path.join(place, name), 0o700)
        time.sleep(0.05)


def _within(folder: Path) -> list[Path]:
    """What lies in `folder`, by name; nothing where it is not there, or no longer."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _entry(key: str, folder: Path) -> Entry:
    try:
        facts = json.loads((folder / _MARKER).read_bytes())
        used = (folder / _USED).stat().st_mtime
    except (OSError, ValueError):
        return Entry(key, folder, {}, 0.0, "it is not complete")
    problem = None
    if facts.get("folder") != str(folder):
        problem = f"it was made at {facts.get('folder')} and moved"
    elif not os.access(folder / "env" / "bin" / "python", os.X_OK):
        problem = "its interpreter is gone"
    return Entry(key, folder, facts, used, problem)
