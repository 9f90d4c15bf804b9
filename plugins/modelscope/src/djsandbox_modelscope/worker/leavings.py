"""What a training leaves in its folder: nothing old before it, and a model that is the trained one after it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from .configuration import FILE, WEIGHTS
from .faults import Fault

NOTE = "djsandbox_training.json"
"""Written when all has gone well: the folder of the model, the logs, the steps of an epoch."""
BEGUN = ".djsandbox_training"
"""Written first: what lies beside it is a training's, and the next one may remove it."""
OUTPUT, BEST_OUTPUT = "output", "output_best"
_OF_A_TRAINING = (
    "*.log",
    "*.log.json",
    "epoch_*.pth",
    "iter_*.pth",
    "best_*.pth",
    "tensorboard_output",
    OUTPUT,
    BEST_OUTPUT,
    NOTE,
)
_CLOCK = 2.0
"""Seconds by which the times of a file system may be behind."""


def clear(work_dir: Path) -> None:
    """Remove what an earlier training left, so that none of it can be taken for a result of this one.

    Fault where it may be somebody else's.
    """
    refuse_foreign(work_dir)
    for path in _left_in(work_dir):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    work_dir.mkdir(parents=True, exist_ok=True)
    (work_dir / BEGUN).write_text("A training of djsandbox removes what the one before has left here.\n", encoding="utf-8")


def refuse_foreign(work_dir: Path) -> None:
    """Fault where the folder has something that a training would remove, and no training of ours was ever begun in it."""
    if (work_dir / BEGUN).is_file() or (work_dir / NOTE).is_file():
        return
    left = sorted(path.name for path in _left_in(work_dir))
    if left:
        more = ", ..." if len(left) > 3 else ""
        raise Fault(
            f"the folder {work_dir} has {', '.join(left[:3])}{more}, which a training would remove, and which none of ours has "
            "left there",
            "train into another folder, or move that away",
        )


def _left_in(work_dir: Path) -> set[Path]:
    return {path for pattern in _OF_A_TRAINING for path in work_dir.glob(pattern)}


def deployable(work_dir: Path, name: str, began: float) -> Path:
    """The folder of the trained model; Fault where it is not whole."""
    folder = work_dir / name
    fix = "look at the checkpoint settings under 'train'"
    if not (folder / FILE).is_file():
        raise Fault(f"the training has ended, but there is no model in {folder}", fix)
    weights = {path: path.stat().st_mtime for pattern in WEIGHTS for path in folder.rglob(pattern)}
    new = {path for path, time in weights.items() if time >= began - _CLOCK}
    if not new:
        raise Fault(f"the training has ended, but wrote no weights to {folder}", fix)
    _remove_untrained(folder)
    return folder


def _remove_untrained(folder: Path) -> None:
    """Remove the safetensors that some models write before the training begins.

    ModelScope puts the trained weights beside them, in pytorch_model.bin; whoever loads the folder prefers safetensors.
    """
    trained = folder / "pytorch_model.bin"
    if not trained.is_file():
        return
    for path in (*folder.glob("*.safetensors"), *folder.glob("*.safetensors.index.json")):
        if path.stat().st_mtime <= trained.stat().st_mtime:
            path.unlink()
            sys.stdout.write(f"removed {path.name}, which has the weights from before the training\n")
