"""Whether the GPUs that a training asks for are there."""

from __future__ import annotations

from collections.abc import Iterator

from djsandbox import Finding, visible_gpus

from djsandbox_trinity.config_check import ConfigCheck, gpus_needed


def gpu_findings(num_gpus: int | None, launcher: object, check: ConfigCheck) -> Iterator[Finding]:
    """More GPUs than the machine has, which no training would ever get.

    That there is none at all is the environment's to say: an error, or for an environment of the user's own a warning. A
    launcher of the job's own may have others.
    """
    kind = launcher.get("type") if isinstance(launcher, dict) else launcher
    there = len(visible_gpus()) if kind in (None, "local") else 0
    needed = gpus_needed(check.whole) if num_gpus is None else num_gpus
    if not there or needed <= there:
        return
    mine = f"{there} GPU{'' if there == 1 else 's'}"
    if num_gpus is not None:
        fix = f"num_gpus: {there} or less; CUDA_VISIBLE_DEVICES says which GPUs may be used"
        yield Finding(("num_gpus",), f"'num_gpus' is {num_gpus}, and this machine has {mine}", fix)
        return
    fix = "lower it in 'overrides' (one GPU is enough in the mode colocate), or set num_gpus: 0 where an existing Ray has more"
    message = f"a training by this config takes {needed} GPUs, and this machine has {mine}"
    yield check.finding(("cluster", "gpu_per_node"), message, fix)
