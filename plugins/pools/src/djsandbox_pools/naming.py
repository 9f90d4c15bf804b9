"""What new data pools are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

NO_COMMON_PREFIX = "default_prefix"


def stem(path: str) -> str:
    """The file's name without folder and extension."""
    return Path(path).stem


def common_prefix(paths: Sequence[str]) -> str:
    """The longest prefix that the stems of all `paths` share; may be empty."""
    stems = [stem(path) for path in paths]
    low, high = min(stems, default=""), max(stems, default="")  # of all words, these two differ earliest
    for at, (one, other) in enumerate(zip(low, high, strict=False)):
        if one != other:
            return low[:at]
    return low


def file_safe(name: str) -> str:
    """`name` as one path component: separators and what else a file system may refuse become `_`."""
    safe = re.sub(r"[/\\\x00-\x1f:]", "_", name)
    return safe if safe.strip(". ") else "_" * max(1, len(safe))
