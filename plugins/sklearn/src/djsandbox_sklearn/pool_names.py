"""Names for data pools, taken from their paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath


def unique_names(paths: Sequence[str]) -> list[str]:
    """The stem of each path, with as many of its folders in front as it takes to tell all apart.

    `a/x.jsonl, b/x.jsonl` give `a_x, b_x`; a path that stands there twice gets `_2`.
    """
    parts = [(*PurePath(path).parts[:-1], PurePath(path).stem) for path in paths]
    names = [own[-1] for own in parts]
    for depth in range(2, max((len(own) for own in parts), default=1) + 1):
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [_joined(own[-depth:]) if name in shared else name for own, name in zip(parts, names, strict=True)]
    return _numbered(names)


def _joined(parts: Sequence[str]) -> str:
    return "_".join(part.strip("/\\:") for part in parts if part.strip("/\\:"))


def _numbered(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    result = []
    for name in names:
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        result.append(free)
    return result
