"""Names for tasks, taken from the paths they work on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath


def unique_names(paths: Sequence[str], *, keep_suffix: bool = False) -> list[str]:
    """The last part of each path, with as many of its folders in front as it takes to tell all apart.

    `a/x.json, b/x.json` give `a_x, b_x`; a path that stands there twice gets `_2`. With `keep_suffix` the paths are folders,
    whose names may have dots.
    """
    parts = [(*PurePath(path).parts[:-1], PurePath(path).name if keep_suffix else PurePath(path).stem) for path in paths]
    names = [own[-1] if own else "_" for own in parts]
    for depth in range(2, max((len(own) for own in parts), default=1) + 1):
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [_joined(own[-depth:]) if name in shared else name for own, name in zip(parts, names, strict=True)]
    taken: set[str] = set()
    result = []
    for name in names:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        result.append(free)
    return result


def is_open(path: str) -> bool:
    """Whether something only stands in, while planning, for a path that an earlier job will give."""
    return path.startswith("<") and path.endswith(">")


def _joined(parts: Sequence[str]) -> str:
    return "_".join(part.strip("/\\:") for part in parts if part.strip("/\\:"))
