"""Writes the stand-in's folders."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from djsandbox_internvl.testing.coco import make_coco
from djsandbox_internvl.testing.pretrained import make_pretrained

VARIABLE = "DJSANDBOX_STANDIN"
_PROGRAMS = Path(__file__).with_name("programs")
_ZERO = {"zero_optimization": {"stage": 1}, "bf16": {"enabled": True}, "train_batch_size": "auto"}


@dataclass(frozen=True, slots=True)
class StandIn:
    """Where a stand-in lies: `home` is the checkout, `environment` the environment; `results` is for what a dry run makes."""

    home: Path
    environment: Path
    results: Path

    def changes(self, mode: str | None = None) -> dict[str, str]:
        """The keys of a job that make it use the stand-in; with `mode` it fails in this way."""
        params: dict[str, object] = {"path": str(self.environment)}
        if mode is not None:
            params["variables"] = {VARIABLE: mode}
        return {
            "internvl_home": str(self.home),
            "env_manager": "existing",
            "env_params": json.dumps(params, separators=(",", ":")),
        }


def make_stand_in(folder: str | os.PathLike[str], *, images: int = 16) -> StandIn:
    """Make `folder/home` and `folder/env`; what is there already is written anew, and nothing else is touched.

    `images` is the size of the COCO that lies in the home, five captions each; a quarter of them is the test split. Raises
    ValueError where the path has white space: neither evaluate.sh nor a shell that splits the printed options takes it.
    """
    root = Path(folder)
    if any(letter.isspace() for letter in str(root.absolute())):
        raise ValueError(
            f"the path {root.absolute()} has white space, which InternVL's evaluate.sh does not take: choose another"
        )
    home, environment = root / "home", root / "env"
    chat = home / "internvl_chat"
    for name, place in _PLACES.items():
        target = chat / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_PROGRAMS / name, target)
    (chat / "internvl" / "__init__.py").touch()
    (chat / "zero_stage1_config.json").write_text(json.dumps(_ZERO), encoding="utf-8")
    requirements = home / "requirements" / "internvl_chat.txt"
    requirements.parent.mkdir(exist_ok=True)
    requirements.write_text("bitsandbytes==0.42.0\ndeepspeed>=0.13.5\npycocoevalcap\ntransformers==4.37.2\n", encoding="utf-8")
    make_pretrained(chat / "pretrained")
    make_coco(chat, images)
    _make_environment(environment)
    return StandIn(home, environment, root / "results")


_PACKAGES = ("torch", "transformers", "deepspeed", "flash_attn", "peft", "pycocoevalcap")
"""What the environment has to hold for its check to pass."""
_PLACES = {
    "finetune.py": "internvl/train/internvl_chat_finetune.py",
    "evaluate_caption.py": "eval/caption/evaluate_caption.py",
    "evaluate.sh": "evaluate.sh",
    "arguments.py": "internvl/arguments.py",
    "standins.py": "internvl/standins.py",
    "weights.py": "internvl/weights.py",
}


def _make_environment(environment: Path) -> None:
    programs, packages = environment / "bin", environment / "lib" / "stand-in"
    programs.mkdir(parents=True, exist_ok=True)
    for name in _PACKAGES:
        (packages / name).mkdir(parents=True, exist_ok=True)
        (packages / name / "__init__.py").write_text(
            '"""There, and empty: the stand-in needs none of it."""\n', encoding="utf-8"
        )
    path = f'export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{packages.absolute()}"\n'
    _write_program(programs / "python", f'{path}exec "{sys.executable}" "$@"\n')
    _write_program(programs / "torchrun", f'exec "{sys.executable}" -P "{_PROGRAMS / "torchrun.py"}" "$@"\n')


def _write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}", encoding="utf-8")
    path.chmod(0o755)
