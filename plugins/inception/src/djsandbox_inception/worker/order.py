"""What is to be computed: the order that the evaluator has written, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Video:
    """A video and the line of the dataset that names it."""

    path: str
    line: int


@dataclass(frozen=True)
class Side:
    """The videos of a dataset; `called` is what messages call it: "generated" or "real"."""

    called: str
    data: str
    videos: tuple[Video, ...]

    def place(self, video: Video) -> str:
        """Where the dataset names the video."""
        return f"{self.data}:{video.line}"


@dataclass(frozen=True)
class DetectorOrder:
    """The detector: its file, how it is called, and where the file may be had where it is not there (None: nowhere)."""

    path: str
    arguments: dict[str, Any]
    url: str | None
    sha256: str | None


@dataclass(frozen=True)
class Order:
    """One metric of one pair of datasets; `length` is None for single frames."""

    metric: str
    keys: tuple[str, ...]
    computation: str
    options: dict[str, float]
    samples: int
    length: int | None
    spacing: int
    fake: Side
    real: Side | None
    detector: DetectorOrder
    height: int
    width: int
    seed: int
    runs: int
    skip_short: bool
    batch_size: int
    device: str
    cache: str
    replace_cache: bool
    verbose: bool
    output: str

    @property
    def span(self) -> int:
        """Frames from the first to the last of a clip, both included."""
        return 1 if self.length is None else (self.length - 1) * self.spacing + 1


def read_order(path: str) -> Order:
    """Read what `write` of the evaluator has written."""
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    data["keys"] = tuple(data["keys"])
    data["detector"] = DetectorOrder(**data["detector"])
    data["fake"] = _side("generated", data["fake"])
    data["real"] = None if data["real"] is None else _side("real", data["real"])
    return Order(**data)


def _side(called: str, data: dict[str, Any]) -> Side:
    return Side(called, data["data"], tuple(Video(path, line) for path, line in data["videos"]))
