"""Where environments and what belongs to them lie."""

from __future__ import annotations

import os
from pathlib import Path

from djsandbox.errors import ConfigError

VARIABLE = "DJSANDBOX_ENVS"


def store_folder() -> Path:
    """The folder of all environments that recipes make: what DJSANDBOX_ENVS says, else in the user's cache.

    Raises ConfigError where no environment in it could be used.
    """
    given = os.environ.get(VARIABLE)
    folder = Path(given).expanduser().absolute() if given else _in_cache()
    refuse_separator(folder)
    return folder


def refuse_separator(folder: Path) -> None:
    """Raise ConfigError where `folder` has what separates those of a PATH in it: another one's programs would be found."""
    if os.pathsep in str(folder):
        raise ConfigError(
            f"no environment can be at {folder}: its programs would not be found, for '{os.pathsep}' separates folders on PATH",
            fix=f"use a folder without '{os.pathsep}' in its path; {VARIABLE} says where environments are made",
        )


def _in_cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return base / "djsandbox" / "envs"


def locks_folder() -> Path:
    """The folder of the lock files."""
    return store_folder() / "locks"
