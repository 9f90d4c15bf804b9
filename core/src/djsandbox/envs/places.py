"""Where environments and what belongs to them lie."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "DJSANDBOX_ENVS"


def store_folder() -> Path:
    """The folder of all environments that recipes make: what DJSANDBOX_ENVS says, else in the user's cache."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return base / "djsandbox" / "envs"


def locks_folder() -> Path:
    """The folder of the lock files."""
    return store_folder() / "locks"
