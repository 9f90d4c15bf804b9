"""Making the stand-in's folder."""

from __future__ import annotations

import json
import shlex
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_PYTHON = """#!/bin/sh
PYTHONPATH={site}${{PYTHONPATH:+:$PYTHONPATH}}
export PYTHONPATH
exec {python} "$@"
"""
_PROGRAM = """#!/bin/sh
DJSANDBOX_STANDIN_BIN={bin}
export DJSANDBOX_STANDIN_BIN
exec {bin}/python -m djsandbox_trinity.testing.{module} "$@"
"""
_CONFIG_MODULE = '''"""What `trinity.common.config` offers."""

from djsandbox_trinity.testing.config import Config, load_config

__all__ = ["Config", "load_config"]
'''
_MODULES = ("trinity", "trinity/common", "ray", "torch", "verl", "vllm", "flash_attn")
"""What the check of the recipe imports."""
_CHECKOUT = {
    "pyproject.toml": '[project]\nname = "trinity-rft"\nversion = "0.6.0"\n',
    "trinity/__init__.py": "",
    "trinity/cli/launcher.py": '"""The place of the programs."""\n',
}


@dataclass(frozen=True, slots=True)
class StandIn:
    """The folders of a stand-in: `env` the environment, `home` the checkout, `model` a model to begin with."""

    folder: Path
    env: Path
    home: Path
    model: Path


def make(folder: str | Path) -> StandIn:
    """Make the stand-in in `folder`, or anew where there is one."""
    root = Path(folder).absolute()
    made = StandIn(root, root / "env", root / "home", root / "model")
    bin_folder, site = made.env / "bin", made.env / "site"
    for name, text in _CHECKOUT.items():
        _write(made.home / name, text)
    for module in _MODULES:
        _write(site / module / "__init__.py", '"""A stand-in."""\n')
    _write(site / "trinity" / "common" / "config.py", _CONFIG_MODULE)
    _script(bin_folder / "python", _PYTHON.format(site=shlex.quote(str(site)), python=shlex.quote(sys.executable)))
    for program, module in (("trinity", "trinity_program"), ("ray", "ray_program")):
        _script(bin_folder / program, _PROGRAM.format(bin=shlex.quote(str(bin_folder)), module=module))
    _write(made.model / "config.json", json.dumps({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}))
    _write(made.model / "tokenizer_config.json", "{}")
    write_weights(made.model / "model.safetensors", 0.0)
    return made


def write_weights(path: Path, value: float) -> None:
    """Write a whole safetensors file with a single number."""

    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", value))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _script(path: Path, text: str) -> None:
    _write(path, text)
    path.chmod(0o755)
