"""The ways in which the stand-in can be told to fail."""

from __future__ import annotations

import os

VARIABLE = "DJSANDBOX_STANDIN"
"""Says how it is to fail: a way, or `WAY:DIMENSION` for one dimension only."""

FAILURES = {
    "exit-0-nothing": "it ends at once, with exit code 0, and has written nothing",
    "old-results": "it writes which videos it takes, ends with exit code 0, and writes no results",
    "crash-midway": "an error of CUDA after half of the videos",
    "killed": "it is killed after half of the videos, as for want of memory",
    "out-of-memory": "the GPU's memory does not suffice",
    "no-gpu": "there is no GPU",
    "no-detectron2": "detectron2 is not installed",
    "nan-score": "a score that is nan; exit code 0",
    "half-written": "results that break off; exit code 0",
    "slow": "no failure: it takes 0.3 seconds for a video",
}
"""Ways to fail, by the value of DJSANDBOX_STANDIN."""


class Fault:
    """The way that is asked for; ValueError for one that is not known."""

    def __init__(self) -> None:
        self._way, _, self._whose = os.environ.get(VARIABLE, "").partition(":")
        if self._way and self._way not in FAILURES:
            raise ValueError(f"{VARIABLE}={self._way!r} is none of {', '.join(FAILURES)}")

    def has_come(self, way: str, dimension: str) -> bool:
        """Whether this dimension is to fail in this way."""
        return self._way == way and self._whose in ("", dimension)
