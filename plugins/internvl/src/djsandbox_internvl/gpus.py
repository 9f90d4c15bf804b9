"""How many GPUs may be used on this machine, told without torch."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator

from djsandbox import Finding


def visible_gpus() -> int:
    """The number of GPUs that CUDA programs would see; 0 where there are none, or no driver answers."""
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    listed = [] if wanted is None else [one.strip() for one in wanted.split(",")]
    if wanted is not None and (not listed[0] or listed[0].startswith("-")):
        return 0
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return 0
    there = _listed_by(smi)
    return min(there, len(listed)) if listed else there


@functools.cache
def _listed_by(program: str) -> int:
    """How many cards nvidia-smi lists: asked once, because it takes its time and planning asks often."""
    try:
        said = subprocess.run([program, "-L"], capture_output=True, text=True, check=False, timeout=30).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in said.splitlines())


def gpu_findings(num_gpus: int | None, launcher: object) -> Iterator[Finding]:
    """What is wrong with `num_gpus` on this machine; nothing where a launcher of its own takes the tasks elsewhere.

    That there is no GPU at all is the environment's to say: an error, or for an environment of the user's own a warning.
    """
    if num_gpus is not None and num_gpus < 1:
        yield Finding(("num_gpus",), f"'num_gpus' is {num_gpus}", "give 1 or more, or leave it out: then it is all there are")
        return
    kind = launcher.get("type") if isinstance(launcher, dict) else launcher
    there = visible_gpus() if kind in (None, "local") else 0
    if there and num_gpus is not None and num_gpus > there:
        fix = f"num_gpus: {there}, or leave it out; CUDA_VISIBLE_DEVICES says which GPUs may be used"
        yield Finding(("num_gpus",), f"'num_gpus' is {num_gpus}, and this machine has {there}", fix)
