"""What a training has left: which of its checkpoints is the last, and whether it is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError

_STEP = re.compile(r"global_step_(\d+)")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_LATEST = "latest_checkpointed_iteration.txt"
_SMALLEST = 16  # bytes; an empty safetensors file has ten


def last_checkpoint(job_dir: Path, *, wants_weights: bool, steps_before: frozenset[int] = frozenset()) -> tuple[int, Path]:
    """The step and the folder of a job's last checkpoint; ComponentError where there is none that is new and whole.

    Args:
        job_dir: The folder of the job.
        wants_weights: Whether the model must be there in Hugging Face's format, whose folder is then returned. Otherwise it is
            the folder of the step.
        steps_before: Steps whose checkpoints were there before this training.
    """
    steps = {int(found[1]): path for path in job_dir.glob("global_step_*") if (found := _STEP.fullmatch(path.name))}
    full = {step: path for step, path in steps.items() if (path / ".full_checkpoint").is_file()}
    if not full:
        raise ComponentError(f"it wrote no checkpoint: there is no whole global_step_N in {job_dir}", fix=_look(job_dir))
    last = max(full)
    if last == 0:
        raise ComponentError(
            f"not a single step was trained: {full[0]} is the model as it was", fix="see whether there is data"
        )
    if steps_before and last <= max(steps_before):
        raise ComponentError(
            f"it wrote no new checkpoint: {full[last]} was there before", fix="raise the number of steps, or begin anew"
        )
    # The marker is written before the weights, this file after them.
    finished = _number_in(job_dir / _LATEST)
    if finished is None or finished < last:
        raise ComponentError(f"the last checkpoint, {full[last]}, was begun and not finished", fix=_look(job_dir))
    if not wants_weights:
        return last, full[last]
    folder = full[last] / "actor" / "huggingface"
    problem = _problem_with(folder)
    if problem:
        raise ComponentError(f"the last checkpoint, {folder}, is not whole: {problem}", fix=_look(job_dir))
    return last, folder


def _problem_with(folder: Path) -> str | None:
    """Why a folder holds no model in Hugging Face's format; None where it does."""
    if not (folder / "config.json").is_file():
        return "it has no config.json"
    for name in _INDEXES:
        if (folder / name).is_file():
            listed = set(json.loads((folder / name).read_text(encoding="utf-8"))["weight_map"].values())
            missing = sorted(shard for shard in listed if not _has_content(folder / shard))
            return f"{', '.join(missing)} of its {name} missing" if missing else None
    weights = [path for pattern in _WEIGHTS for path in folder.glob(pattern)]
    if not weights:
        return "it has no weights"
    empty = [path.name for path in weights if not _has_content(path)]
    return f"{', '.join(empty)} has no content" if empty else None


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > _SMALLEST


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _look(job_dir: Path) -> str:
    return f"see the log of the task and {job_dir / 'log'}"


def read_note(path: Path) -> Mapping[str, Any]:
    """What the program that ran Trinity has noted; ComponentError where it has not."""
    try:
        note: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"{path}, which tells where the training is, cannot be read: {error}") from error
    return note
