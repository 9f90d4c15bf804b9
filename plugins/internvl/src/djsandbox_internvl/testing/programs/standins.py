"""What the programs of the stand-in share: in which way they are asked to fail.

`DJSANDBOX_STANDIN` is `MODE` or `MODE:TEXT`; with a text it concerns only the runs that have it in their output folder or
checkpoint.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

MODES = {
    "exit-0-nothing": "ends well and writes nothing",
    "old-results": "prints what a good run prints, and leaves the files of an earlier one as they are",
    "crash-midway": "half of the work, then a traceback",
    "crash-once": "the same, but only the first time",
    "killed": "half of the work, then SIGKILL, as the kernel does it",
    "out-of-memory": "half of the work, then CUDA has no memory",
    "nan-loss": "trains, and all losses are nan",
    "truncated-model": "the disk is full when the model is written",
    "no-spice": "evaluates, and SPICE cannot be downloaded",
    "missing-metrics": "evaluates, and stops before CIDEr",
    "slow": "a second a step, to have time to be interrupted",
}


def mode_for(subject: str) -> str:
    """The way in which the run that works on `subject` is to fail; empty for a good one. ValueError for one that is none."""
    mode, _, text = os.environ.get("DJSANDBOX_STANDIN", "").partition(":")
    if mode and mode not in MODES:
        raise ValueError(f"DJSANDBOX_STANDIN: there is no mode {mode!r}: {', '.join(MODES)}")
    return mode if text in subject else ""


def say(text: object, *, on_stderr: bool = False, end: str = "\n") -> None:
    """Print at once."""
    stream = sys.stderr if on_stderr else sys.stdout
    stream.write(f"{text}{end}")
    stream.flush()


def pause(mode: str) -> None:
    """What one step takes."""
    time.sleep(1.0 if mode == "slow" else 0.005)


def fail_midway(mode: str, marker: Path) -> None:
    """End this process, if `mode` says so. `marker` remembers that `crash-once` has been."""
    if mode == "killed":
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "out-of-memory":
        raise RuntimeError(
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.20 GiB. GPU 0 has a total capacty of "
            "79.15 GiB of which 512.00 MiB is free."
        )
    if mode == "crash-once" and not marker.exists():
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if mode == "crash-midway":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
