"""The checkpoints of a training: found by the number of their step, and read as far as their headers."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"checkpoint-(\d+)\.safetensors")
_FOLDER = re.compile(r"checkpoint-(\d+)")
IN_STATE = "lora_diffusion_pytorch_model.safetensors"
"""The LoRA in a folder that `--save_state` has written."""


@dataclass(frozen=True, order=True)
class Checkpoint:
    """A LoRA, and the step it was saved at."""

    step: int
    path: Path


def checkpoints(folder: Path) -> list[Checkpoint]:
    """All of them, the latest step last; of a step saved in both forms the file."""
    found: dict[int, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        state, file = _FOLDER.fullmatch(path.name), _FILE.fullmatch(path.name)
        if file:
            found[int(file[1])] = path
        elif state and (path / IN_STATE).is_file():
            found.setdefault(int(state[1]), path / IN_STATE)
    return [Checkpoint(step, path) for step, path in sorted(found.items())]


def problem_with(path: Path) -> str | None:
    """What is wrong with a safetensors file, as far as its header and its size tell."""
    size = path.stat().st_size
    if not size:
        return f"{path} is empty"
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size:
                return f"{path} is cut off"
            header = json.loads(file.read(length))
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
    except (struct.error, ValueError, LookupError, TypeError, AttributeError):
        return f"{path} is cut off, or no safetensors file"
    if not ends:
        return f"{path} holds no weights"
    return f"{path} is cut off" if 8 + length + max(ends) > size else None
