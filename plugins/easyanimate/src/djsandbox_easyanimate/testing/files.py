"""The files that the stand-in writes: small, and of the real formats."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

from djsandbox_easyanimate.testing.faults import fault
from djsandbox_easyanimate.testing.mp4 import mp4


def write_safetensors(path: Path, text: str) -> None:
    """Weights: one tensor of four float32 numbers, which are made of `text`."""
    numbers = [byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:4]]
    header = json.dumps({"lora_unet.lora_down.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    _write(path, struct.pack("<Q", len(header)) + header + struct.pack("<4f", *numbers))


def read_safetensors(path: str) -> dict[str, object]:
    """The header of the file; raises where it has none, as safetensors does."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return dict(json.loads(file.read(size)))


def weights_of(path: str) -> str:
    """What tells the weights of a file from others; raises as `read_safetensors`."""
    read_safetensors(path)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_video(path: str, text: str, frames: int, fps: int) -> None:
    """A video that is made of `text`, of so many frames."""
    _write(Path(path), mp4(text, frames, fps))


def _write(path: Path, content: bytes) -> None:
    match fault():
        case "empty-results":
            content = b""
        case "cut-results":
            content = content[: len(content) * 2 // 3]
        case "old-results":
            return
    with open(path, "wb") as file:
        file.write(content)
