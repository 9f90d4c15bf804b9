"""The base models of the stand-in: their config files, and weights of a few bytes."""

from __future__ import annotations

import json
from pathlib import Path

from djsandbox_internvl.testing.programs.weights import write_model

_BASES = {
    "InternVL2-1B": ("Hermes-2", 24),
    "InternVL2-2B": ("internlm2-chat", 24),
    "InternVL2-4B": ("phi3-chat", 32),
    "InternVL2-8B": ("internlm2-chat", 32),
    "InternVL2-26B": ("internlm2-chat", 48),
    "InternVL2_5-1B": ("internvl2_5", 24),
}


def make_pretrained(folder: Path) -> None:
    """A folder for each of some models of InternVL 2, with the `template` and the number of layers of the real one."""
    for name, (template, layers) in _BASES.items():
        model = folder / name
        write_model(model, 0.0)
        config = {"model_type": "internvl_chat", "template": template, "llm_config": {"num_hidden_layers": layers}}
        (model / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
