"""What the stand-in is told by environment variables."""

from __future__ import annotations

import os

FAILURES = {
    "exit-0-nothing": "trinity ends at once, with exit code 0, and has written nothing",
    "crash-midway": "trinity ends with a traceback and exit code 1 after half of the steps",
    "trainer-error": "a training step raises; Trinity still saves a checkpoint and ends with exit code 0",
    "trainer-failed": "the trainer cannot be made ready; no checkpoint, exit code 0",
    "explorer-error": "an exploration step raises; Trinity still saves a checkpoint and ends with exit code 0",
    "both-failed": "an actor dies; no checkpoint, exit code 0",
    "old-results": "what an earlier run has left is touched by nobody, and the exit code is 0",
    "half-checkpoint": "the last checkpoint is begun and never finished; exit code 0",
    "no-weights": "the last checkpoint has the model's config and no weights; exit code 0",
    "killed": "trinity is killed midway, as for want of memory",
    "nan-loss": "the loss is nan from the second step on; exit code 0",
    "hangs": "the trainer stops writing anything after half of the steps, and does not end",
    "ray-token": "`ray status` is refused: another cluster's token is wanted",
    "ray-dies": "`ray start` ends at once with an error",
}
"""Ways to fail, by the value of DJSANDBOX_STANDIN."""


def failure() -> str:
    """The way to fail that is asked for; empty for none. ValueError for one that is not known."""
    wanted = os.environ.get("DJSANDBOX_STANDIN", "")
    if wanted and wanted not in FAILURES:
        raise ValueError(f"DJSANDBOX_STANDIN={wanted!r} is none of {', '.join(FAILURES)}")
    return wanted


def pace() -> float:
    """Seconds that a training step takes."""
    return float(os.environ.get("DJSANDBOX_STANDIN_PACE", "0.05"))
