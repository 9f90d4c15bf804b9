"""The ways in which the stand-in fails when it is told to."""

from __future__ import annotations

import os
import signal
import sys
import time

FAULT = "DJSANDBOX_STANDIN"
"""The environment variable that names the way."""

FAULTS = {
    "exit-0-nothing": "ends at once with exit code 0, having written nothing",
    "old-results": "prints all its lines, ends with exit code 0, and leaves the files as they were",
    "crash-midway": "a traceback half-way",
    "killed": "SIGKILL half-way, as the kernel does when memory is short",
    "cuda-oom": "CUDA out of memory half-way",
    "nan-loss": "the loss is nan from half-way on",
    "empty-results": "files of no bytes",
    "cut-results": "files that end too early",
    "missing-results": "the last file is not written, exit code 0",
    "slow": "no failure: a second a step",
}
_SWIFT, _SLOW = 0.01, 1.0


def fault() -> str:
    """The way in which to fail; "" for none. Exits for one that is not known."""
    wanted = os.environ.get(FAULT, "")
    if wanted and wanted not in FAULTS:
        sys.exit(f"{FAULT}={wanted} is none of {', '.join(FAULTS)}")
    return wanted


def pace() -> None:
    """Take the time of a step."""
    time.sleep(_SLOW if fault() == "slow" else _SWIFT)


def fail_midway(step: int, total: int) -> None:
    """Fail in the middle of `total` steps, if that is the way."""
    if step != max(1, total // 2):
        return
    match fault():
        case "crash-midway":
            raise RuntimeError("Expected all tensors to be on the same device, but found at least two devices")
        case "cuda-oom":
            sys.stderr.write("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n")
            sys.exit(1)
        case "killed":
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
