"""What new data pools are called."""

from __future__ import annotations

import re
from collections import Counter
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


def unique_names(paths: Sequence[str]) -> list[str]:
    """A name for each path, no two alike: its stem where that is enough.

    Files with one stem in several folders take as many of their parent folders' names as it needs to tell them apart
    (`a/pool.jsonl`, `b/pool.jsonl` -> `a_pool`, `b_pool`); what is still alike (a path given twice) is numbered from `_2` on.
    """
    stems = [stem(path) for path in paths]
    sharing: dict[str, set[Path]] = {}
    for path, name in zip(paths, stems, strict=True):
        sharing.setdefault(name, set()).add(Path(path).absolute())
    depths = {name: _telling_depth(files) for name, files in sharing.items()}
    return numbered([_prefixed(Path(path).absolute(), depths[name]) for path, name in zip(paths, stems, strict=True)])


def numbered(names: Sequence[str]) -> list[str]:
    """`names` with `_2`, `_3`, ... after the second, third, ... of equal ones."""
    given: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate in given or (number > 1 and candidate in names):
            number += 1
            candidate = f"{name}_{number}"
        given.add(candidate)
        result.append(candidate)
    return result


def file_safe(name: str) -> str:
    """`name` as one path component: separators and what else a file system may refuse become `_`."""
    safe = re.sub(r"[/\\\x00-\x1f:]", "_", name)
    return safe if safe.strip(". ") else "_" * max(1, len(safe))


def _telling_depth(files: set[Path]) -> int:
    deepest = max(len(file.parts) for file in files)
    for depth in range(deepest):
        if max(Counter(_prefixed(file, depth) for file in files).values()) == 1:
            return depth
    return 0


def _prefixed(file: Path, depth: int) -> str:
    parents = [part for part in file.parent.parts if part not in (file.anchor, "..")]
    return "_".join([*parents[len(parents) - min(depth, len(parents)) :], file.stem])
