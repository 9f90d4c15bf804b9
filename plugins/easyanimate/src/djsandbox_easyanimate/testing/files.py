"""The files that the stand-in writes: small, and of the real formats as far as a reader of their headers can tell."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from djsandbox_easyanimate.testing.faults import fault


def write_safetensors(path: Path, seed: int) -> None:
    """A LoRA of one tensor of four float32 numbers."""
    header = json.dumps({"lora_unet.lora_down.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    _write(path, struct.pack("<Q", len(header)) + header + struct.pack("<4f", *(seed + at for at in range(4))))


def read_safetensors(path: str) -> dict[str, object]:
    """The header of the file; raises where it has none, as safetensors does."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return dict(json.loads(file.read(size)))


def write_video(path: str, prompt: str) -> None:
    """What begins like an MP4 file."""
    _write(Path(path), b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + b"\0\0\0\x40mdat" + prompt.encode()[:56].ljust(56))


def _write(path: Path, content: bytes) -> None:
    match fault():
        case "empty-results":
            content = b""
        case "cut-results":
            content = content[:6]
        case "old-results":
            return
    with open(path, "wb") as file:
        file.write(content)
