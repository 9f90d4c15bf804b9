"""The CPUs and GPUs of this machine, as far as this process may use them."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
SHARE = "DJSANDBOX_TRIAL_SHARE"
"""The environment variable by which one of several trials beside each other knows which it is: `0/2` is the first of two."""

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
_GPU_FOLDERS = Path("/proc/driver/nvidia/gpus")
_LISTED = re.compile(r"^(?P<indent>\s*)(?:GPU|MIG) .*\(UUID: (?P<uuid>[^)\s]+)\)", re.MULTILINE)
_PATIENCE = 60  # seconds: without a persistence daemon the driver begins anew with each call


def usable_cpus() -> int:
    """How many CPUs this process may keep busy: those it may run on, no more than its control group is given."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CGROUP_LIMIT.read_text(encoding="ascii").split()
        return max(1, min(cpus, math.floor(int(quota) / int(period))))
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return cpus


def share_of(total: int) -> int:
    """How many of `total` CPUs, GPUs or places are this process's, one at least where there are any: trials divide them."""
    at, _, count = os.environ.get(SHARE, "0/1").partition("/")
    return max(len(range(int(at), total, int(count))), min(total, 1))


def visible_gpus() -> list[str]:
    """What stands for each GPU that may be used in CUDA_VISIBLE_DEVICES: its own items where it is set, else all there are."""
    given = os.environ.get(VISIBLE)
    if given is not None:
        return _as_cuda_reads(given)
    return _listed_by_driver()


def _as_cuda_reads(text: str) -> list[str]:
    """Each device once; -1, or nothing, ends the list."""
    found: list[str] = []
    for item in text.split(","):
        name = item.strip()
        if not name or name.startswith("-"):
            break
        if name not in found:
            found.append(name)
    return found


def _listed_by_driver() -> list[str]:
    program = shutil.which("nvidia-smi")
    said = _said_by(program) if program is not None else None
    if said is not None:
        return _names(said)
    return [str(at) for at in range(len(list(_GPU_FOLDERS.iterdir())))] if _GPU_FOLDERS.is_dir() else []


@functools.cache
def _said_by(program: str) -> str | None:
    """What nvidia-smi lists; None where it fails. Asked once, for it takes its time and planning asks often."""
    command = [program, "-L"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(  # noqa: S603 - no argument comes from outside
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
        if done.returncode == 0:
            return done.stdout
    return None


def _names(listing: str) -> list[str]:
    """The whole GPUs by their index; where some are divided (MIG) all by UUID, because parts have no index."""
    found = [(bool(match["indent"]), match["uuid"]) for match in _LISTED.finditer(listing)]
    if not any(is_part for is_part, _ in found):
        return [str(at) for at in range(len(found))]
    names = []
    for at, (is_part, uuid) in enumerate(found):
        is_divided = not is_part and at + 1 < len(found) and found[at + 1][0]
        if not is_divided:
            names.append(uuid)
    return names
