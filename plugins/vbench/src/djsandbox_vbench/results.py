"""Reading what VBench has written: the scores of one dimension, and those of its videos."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.prompts import VIDEOS_PER_PROMPT

_META = "_full_info.json"
_RESULTS = "_eval_results.json"
_PER_CENT = "imaging_quality"
"""The one dimension whose per-video scores are in per cent, while its score is not."""


@dataclass(frozen=True, slots=True)
class VideoScore:
    """What one video has got: `score` on the scale of its dimension's, `details` as VBench has written it."""

    video: str
    score: float
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """The score of a dimension, of which videos, how many videos were missing, and the file that says so."""

    dimension: str
    score: float
    videos: tuple[VideoScore, ...]
    missing: int
    file: Path


def read_result(folder: str | Path, dimension: str, *, has_list: bool) -> DimensionResult:
    """The result of the latest evaluation in `folder`; ComponentError where that one has none, or none that can be used.

    Each process of an evaluation first writes which videos it takes (`results_TIME_full_info.json`), with its own TIME, and
    the first process last of all the results: older ones are never taken for those of an evaluation that ended without any.
    """
    begun = _by_age(folder, _META)
    if not begun:
        raise _failed(folder, f"VBench has not even begun to evaluate {dimension}: there is no results_*{_META}")
    done = _by_age(folder, _RESULTS)
    if not done or done[-1].stat().st_mtime_ns < begun[-1].stat().st_mtime_ns:
        raise _failed(folder, f"VBench has written no results of {dimension}, only which videos it was to take")
    file = done[-1]
    score, rows = _parts(_json(file), dimension, file)
    videos = tuple(_videos(rows, dimension, file))
    if not videos:
        raise _failed(file, f"the result of {dimension} is one of no videos")
    missing = _missing(_json(begun[-1]), dimension) if has_list else 0
    return DimensionResult(dimension, score, videos, missing, file)


def _by_age(folder: str | Path, suffix: str) -> list[Path]:
    """The files of an evaluation that end so, the youngest last."""
    return sorted(Path(folder).glob(f"results_*{suffix}"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _failed(file, f"it cannot be read ({error}): half-written?") from error


def _parts(data: Any, dimension: str, file: Path) -> tuple[float, list[Any]]:
    entry = data.get(dimension) if isinstance(data, dict) else None
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[1], list):
        raise _failed(file, f"there is no '{dimension}: [score, [videos]]' in it")
    return _number(entry[0], f"the score of {dimension}", file), entry[1]


def _videos(rows: list[Any], dimension: str, file: Path) -> Iterator[VideoScore]:
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("video_path"), str):
            raise _failed(file, f"the scores of single videos in {dimension} are not of the form {{video_path, video_results}}")
        score = _number(row.get("video_results"), f"the score of '{row['video_path']}' in {dimension}", file)
        details = {key: value for key, value in row.items() if key != "video_path"}
        yield VideoScore(row["video_path"], score / 100 if dimension == _PER_CENT else score, details)


def _number(value: Any, what: str, file: Path) -> float:
    """A number, true and false included (human_action)."""
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        raise _failed(file, f"{what} is {value!r}, no number")
    return float(value)


def _missing(meta: Any, dimension: str) -> int:
    wanted = [row for row in meta if isinstance(row, dict) and dimension in row.get("dimension", ())]
    return sum(VIDEOS_PER_PROMPT - len(row.get("video_list", ())) for row in wanted)


def _failed(place: str | Path, message: str) -> ComponentError:
    return ComponentError(message, where=Position(str(place)), fix="the task's log says what VBench has printed")
