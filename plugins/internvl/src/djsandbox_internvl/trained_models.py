"""What a fine-tuning leaves behind, read back: whether it is whole, and what became of the loss."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError

STATE, SUMMARY, CONFIG = "trainer_state.json", "all_results.json", "config.json"
MODEL_FILES = ("*.safetensors", "pytorch_model*.bin")
_LFS = b"version https://git-lfs"
WRITTEN = (STATE, SUMMARY, "train_results.json", CONFIG, "training_args.bin", *MODEL_FILES, "*.index.json", "checkpoint-*")
"""Patterns of what a fine-tuning writes and an earlier one may have left."""


def model_problem(folder: Path) -> str | None:
    """Why `folder` holds no whole model; None where it does. Weights are not read, only their headers and sizes."""
    if not (folder / CONFIG).is_file():
        return f"there is no {CONFIG} in {folder}"
    files = [path for pattern in MODEL_FILES for path in sorted(folder.glob(pattern))]
    if not files:
        return f"there is no model file in {folder}"
    return next(filter(None, (_file_problem(path) for path in files)), None) or _missing_shard(folder)


def training_result(folder: Path) -> dict[str, float]:
    """What the trainer's own files say of a training: `final_loss`, `mean_loss`, `num_steps`, `epoch`, `seconds`.

    Losses are nan where the training went wrong that way. Raises ComponentError where the files are missing, cannot be read,
    or tell of a training that did not get to its end.
    """
    state, summary = _read(folder / STATE), _read(folder / SUMMARY)
    losses = [entry["loss"] for entry in state.get("log_history", ()) if isinstance(entry, dict) and "loss" in entry]
    steps, planned = int(state.get("global_step", 0)), int(state.get("max_steps", 0))
    if steps < 1 or steps < planned:
        raise ComponentError(f"the training in {folder} ended after {steps} of {planned} steps", fix="see its log")
    if "train_loss" not in summary:
        raise ComponentError(f"{folder / SUMMARY} has no train_loss", fix="see the log of the training")
    mean = float(summary["train_loss"])
    return {
        "final_loss": float(losses[-1]) if losses else mean,
        "mean_loss": mean,
        "num_steps": steps,
        "epoch": float(summary.get("epoch", state.get("epoch", 0.0))),
        "seconds": float(summary.get("train_runtime", 0.0)),
    }


def is_lost(result: Mapping[str, float]) -> bool:
    """Whether the loss ended as nan or infinite: the model has learned nothing then."""
    return not (math.isfinite(result["final_loss"]) and math.isfinite(result["mean_loss"]))


def leftovers(folder: Path) -> Iterator[Path]:
    """What an earlier training has left in `folder`; nothing else that lies there."""
    for pattern in WRITTEN:
        yield from folder.glob(pattern)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"{path} cannot be read: {error}", fix="see the log of the training") from error
    if not isinstance(found, dict):
        raise ComponentError(f"{path} holds no JSON object", fix="see the log of the training")
    return found


def _file_problem(path: Path) -> str | None:
    """Why a model file is not whole: a safetensors file says at its beginning how long it must be."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(_LFS)) == _LFS:
            return f"{path} only says where its weights are: git lfs pull brings them"
    if path.suffix != ".safetensors":
        return None if size else f"{path} is empty"
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length < size else {}
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
        return f"{path} is no safetensors file: {error}"
    if ends and size == 8 + length + max(ends):
        return None
    return f"{path} is not whole: a full disk, or a download that was cut off"


def _missing_shard(folder: Path) -> str | None:
    for index in sorted(folder.glob("*.index.json")):
        try:
            shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError) as error:
            return f"{index} cannot be read: {error}"
        for shard in sorted(shards):
            if not (folder / shard).is_file():
                return f"{folder / shard} is missing, which {index.name} names"
    return None
