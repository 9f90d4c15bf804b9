"""Names for tasks, folders and files, taken from the paths that they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath


def unique_names(paths: Sequence[str], *, keep_suffix: bool = False, alike: bool = False) -> list[str]:
    """A name for each path, no two the same: its last part, with as many of its folders in front as tell it from the others.

    `a/x.json, b/x.json` give `a_x, b_x`. What cannot be told apart so, as a path that is there twice, gets `_2`, `_3`, ...

    Args:
        paths: Of files, or of folders; they need not exist.
        keep_suffix: Take the last part whole, as the name of a folder that may have dots in it.
        alike: Go by where the files lie, not by how the paths are spelled, and give all of one name as many folders as it takes
            to tell every one of them from the others.
    """
    return _numbered(_alike(paths, keep_suffix) if alike else _each_for_itself(paths, keep_suffix))


def _each_for_itself(paths: Sequence[str], keep_suffix: bool) -> list[str]:
    places = [(*PurePath(path).parts[:-1], _last(PurePath(path), keep_suffix)) for path in paths]
    names = [place[-1] for place in places]
    for depth in range(2, max(map(len, places), default=1) + 1):
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [_joined(place[-depth:]) if name in shared else name for place, name in zip(places, names, strict=True)]
    return names


def _alike(paths: Sequence[str], keep_suffix: bool) -> list[str]:
    files = [Path(path).absolute() for path in paths]
    places = [
        (*(part for part in file.parent.parts if part not in (file.anchor, "..")), _last(PurePath(path), keep_suffix))
        for file, path in zip(files, paths, strict=True)
    ]
    sharing: dict[str, dict[Path, tuple[str, ...]]] = {}
    for file, place in zip(files, places, strict=True):
        sharing.setdefault(place[-1], {})[file] = place
    depths = {name: _telling_depth(list(different.values())) for name, different in sharing.items()}
    return ["_".join(place[-depths[place[-1]] :]) for place in places]


def _telling_depth(places: Sequence[tuple[str, ...]]) -> int:
    """How many of the last parts tell all `places` apart; 1 where none do."""
    depths = range(1, max(map(len, places)) + 1)
    return next((depth for depth in depths if len({place[-depth:] for place in places}) == len(places)), 1)


def _numbered(names: Sequence[str]) -> list[str]:
    given: dict[str, None] = {}
    for name in names:
        candidate, number = name, 1
        while candidate in given or (number > 1 and candidate in names):
            number += 1
            candidate = f"{name}_{number}"
        given[candidate] = None
    return list(given)


def _last(path: PurePath, keep_suffix: bool) -> str:
    return path.name if keep_suffix else path.stem


def _joined(parts: Sequence[str]) -> str:
    return "_".join(part.strip("/\\:") for part in parts if part.strip("/\\:"))
