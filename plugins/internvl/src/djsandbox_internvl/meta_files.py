"""InternVL's meta files: a JSON object, data set -> {root, annotation, data_augment, repeat_time, length}."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEYS = ("root", "annotation", "data_augment", "repeat_time")


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set of a meta file; paths as InternVL finds them, from its folder `internvl_chat`."""

    name: str
    root: Path
    annotation: Path


def data_sets(meta_path: str, chat: Path) -> list[DataSet]:
    """The data sets that a meta file names; ValueError or OSError where it cannot be read or lacks something."""
    return [
        DataSet(name, chat / str(meta["root"]), chat / str(meta["annotation"])) for name, meta in _entries(meta_path).items()
    ]


def problems(meta_path: str, chat: Path) -> Iterator[str]:
    """What is wrong with a meta file and with what it points to."""
    try:
        sets = data_sets(meta_path, chat)
    except (OSError, ValueError) as error:
        yield f"the meta file {meta_path} cannot be used: {error}"
        return
    for one in sets:
        what = f"the data set '{one.name}' of {meta_path}"
        if not one.root.is_dir():
            yield f"{what} has its images in {one.root}, and there is no such folder"
        if one.annotation.suffix != ".jsonl":
            yield f"{what} has the annotation {one.annotation}; InternVL takes .jsonl files only"
        elif not one.annotation.is_file():
            yield f"{what} has its rows in {one.annotation}, and there is no such file"
        elif one.root.is_dir():
            yield from _first_row_problems(one, what)


def _entries(meta_path: str) -> Mapping[str, Mapping[str, Any]]:
    found = json.loads(Path(meta_path).read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not found or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError("it is no JSON object of data sets: {name: {root: ..., annotation: ..., ...}}")
    for name, meta in found.items():
        lacking = [key for key in _KEYS if key not in meta]
        if lacking:
            raise ValueError(f"the data set '{name}' has no {', '.join(lacking)}")
        times = meta["repeat_time"]
        is_number = isinstance(times, (int, float)) and not isinstance(times, bool)
        if not is_number or times <= 0 or (times > 1 and not isinstance(times, int)):
            raise ValueError(f"the repeat_time of '{name}' is {times!r}: a share below 1, or a whole number")
    return found


def _first_row_problems(one: DataSet, what: str) -> Iterator[str]:
    """The first row stands for all: with a wrong root, every image is missing, and InternVL would try to go on."""
    try:
        with one.annotation.open(encoding="utf-8") as file:
            row = json.loads(file.readline() or "null")
    except (OSError, ValueError) as error:
        yield f"{what}: the first row of {one.annotation} cannot be read: {error}"
        return
    if row is None:
        yield f"{what}: {one.annotation} is empty"
        return
    image = row.get("image") if isinstance(row, dict) else None
    images = image if isinstance(image, list) else [image] if image else []
    missing = [path for path in images if not str(path).startswith("s3://") and not (one.root / str(path)).is_file()]
    if missing:
        yield f"{what}: the image of the first row, {one.root / str(missing[0])}, is not there"
    if not isinstance(row, dict) or not isinstance(row.get("conversations"), list) or len(row["conversations"]) < 2:
        yield f"{what}: the first row of {one.annotation} has no conversation of two turns"
