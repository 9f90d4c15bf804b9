"""What each of several trainings or models is called: after its dataset, or after the folder of its checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

CONVERTED = "_ea_fmt"
"""What the conversion puts behind the name of a dataset."""


def names_of_datasets(paths: Sequence[str]) -> list[str]:
    """The names of the files, each with as many of its folders in front as it takes to tell all apart."""
    return _told_apart([(*PurePath(path).parts[:-1], PurePath(path).stem.removesuffix(CONVERTED)) for path in paths])


def names_of_models(paths: Sequence[str]) -> list[str]:
    """The names of the checkpoints' folders, which tell trainings apart; where two share one, with that of the file, too."""
    folders = [PurePath(path).parts[:-1] for path in paths]
    if len(set(folders)) == len(paths) and all(folders):
        return _told_apart(folders)
    return _told_apart([(*folder, PurePath(path).stem) for folder, path in zip(folders, paths, strict=True)])


def _told_apart(places: Sequence[tuple[str, ...]]) -> list[str]:
    depths = [1] * len(places)
    while True:
        names = ["_".join(place[-depth:]).replace("/", "") for place, depth in zip(places, depths, strict=True)]
        shared = {name for name, count in Counter(names).items() if count > 1}
        deeper = [
            depth + (name in shared and depth < len(place)) for place, depth, name in zip(places, depths, names, strict=True)
        ]
        if deeper == depths:
            return names
        depths = deeper
