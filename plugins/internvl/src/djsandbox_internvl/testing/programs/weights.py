"""Model files of the stand-in: real safetensors files, with what was learned in their header."""

from __future__ import annotations

import json
import struct
from pathlib import Path


def write_model(folder: str | Path, learned: float, *, whole: bool = True) -> None:
    """Write a model that has learned so much, between 0 and 1; not `whole`: with the end of the file missing."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    weights = b"\0" * 64
    entry = {"dtype": "BF16", "shape": [32], "data_offsets": [0, len(weights)]}
    header = json.dumps({"__metadata__": {"format": "pt", "learned": repr(learned)}, "model.weight": entry}).encode()
    model = struct.pack("<Q", len(header)) + header + weights
    (out / "model.safetensors").write_bytes(model if whole else model[:-32])
    (out / "config.json").write_text(json.dumps({"model_type": "internvl_chat", "use_llm_lora": 128}), encoding="utf-8")
    (out / "tokenizer_config.json").write_text("{}", encoding="utf-8")


def learned_by(folder: str | Path) -> float:
    """What a model has learned."""
    with Path(folder, "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return float(json.loads(file.read(length))["__metadata__"]["learned"])
