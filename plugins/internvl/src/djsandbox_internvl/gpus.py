"""What is wrong with a number of GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from djsandbox import Finding, visible_gpus


def gpu_findings(num_gpus: int | None, launcher: object) -> Iterator[Finding]:
    """What is wrong with `num_gpus` on this machine; nothing where a launcher of its own takes the tasks elsewhere.

    That there is no GPU at all is the environment's to say: an error, or for an environment of the user's own a warning.
    """
    if num_gpus is not None and num_gpus < 1:
        yield Finding(("num_gpus",), f"'num_gpus' is {num_gpus}", "give 1 or more, or leave it out: then it is all there are")
        return
    kind = launcher.get("type") if isinstance(launcher, dict) else launcher
    there = len(visible_gpus()) if kind in (None, "local") else 0
    if there and num_gpus is not None and num_gpus > there:
        fix = f"num_gpus: {there}, or leave it out; CUDA_VISIBLE_DEVICES says which GPUs may be used"
        yield Finding(("num_gpus",), f"'num_gpus' is {num_gpus}, and this machine has {there}", fix)
