"""What each of several trainings or models is called: after its dataset, or after the folder of its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from djsandbox import unique_names

CONVERTED = "_ea_fmt"
"""What the conversion puts behind the name of a dataset."""


def names_of_datasets(paths: Sequence[str]) -> list[str]:
    """The names of the files, each with as many of its folders in front as it takes to tell all apart."""
    files = [PurePath(path) for path in paths]
    plain = [str(file.with_name(file.stem.removesuffix(CONVERTED) or file.stem)) for file in files]
    return unique_names(plain, keep_suffix=True)


def names_of_models(paths: Sequence[str]) -> list[str]:
    """The names of the checkpoints' folders, which tell trainings apart; where two share one, with that of the file, too."""
    folders = [str(PurePath(path).parent) for path in paths]
    if len(set(folders)) == len(paths) and "." not in folders:
        return unique_names(folders, keep_suffix=True)
    return unique_names(paths)
