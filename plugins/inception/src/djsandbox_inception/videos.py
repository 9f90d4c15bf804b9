"""The videos that the rows of a dataset name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_JSON_LINES = "it must be JSON lines: an object a line, as Data-Juicer writes"


@dataclass(frozen=True, slots=True)
class Video:
    """A video, and the line that names it, from 1."""

    path: str
    line: int


@dataclass(slots=True)
class Dataset:
    """The videos of a dataset in its order, what is wrong with it (line, message), and how many rows have no video."""

    path: str
    videos: list[Video] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    empty_rows: int = 0

    def problem(self) -> str | None:
        """What is wrong, in a sentence with file and line; None where nothing is."""
        if self.problems:
            line, message = self.problems[0]
            more = f" (and {len(self.problems) - 1} more such problems in this file)" if len(self.problems) > 1 else ""
            return f"{self.path}:{line}: {message}{more}"
        if not self.videos:
            return f"{self.path} names no video"
        return None


def read_dataset(path: str, folder: str | None, key: str) -> Dataset:
    """Read the rows of `path`, and look whether the videos are there. OSError where the file cannot be read.

    `folder` is what relative paths begin at; None stands for the current directory.
    """
    dataset = Dataset(path)
    with open(path, encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                _read_row(dataset, number, line, folder, key)
    return dataset


def _read_row(dataset: Dataset, number: int, line: str, folder: str | None, key: str) -> None:
    try:
        row = json.loads(line)
    except ValueError as error:
        dataset.problems.append((number, f"this line is no JSON ({error}); {_JSON_LINES}"))
        return
    if not isinstance(row, dict):
        dataset.problems.append((number, f"this line is no JSON object; {_JSON_LINES}"))
        return
    if key not in row:
        dataset.problems.append((number, f"this row has no '{key}', only {', '.join(map(repr, row)) or 'nothing'}"))
        return
    named = row[key]
    if not isinstance(named, list) or not all(isinstance(item, str) and item for item in named):
        dataset.problems.append((number, f"'{key}' of this row is no list of paths, but {_short(named)}"))
        return
    dataset.empty_rows += not named
    for item in named:
        video = os.path.abspath(os.path.join(folder or "", item))
        problem = next(_wrong_with(video, item), None)
        if problem:
            dataset.problems.append((number, problem))
        dataset.videos.append(Video(video, number))


def _wrong_with(video: str, named: str) -> Iterator[str]:
    if not os.path.exists(video):
        yield f"the video '{named}' does not exist" + ("" if named == video else f" (it would be {video})")
    elif not os.path.isfile(video):
        yield f"the video '{named}' is no file"
    elif not os.path.getsize(video):
        yield f"the video '{named}' is an empty file"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else f"{text[:57]}..."
