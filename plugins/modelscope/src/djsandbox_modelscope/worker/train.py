"""Trains one model with ModelScope, as an order (a JSON file) says, and notes at the end what has come of it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import configuration, hub, rows
from .changes import changed
from .faults import Fault, told
from .leavings import NOTE, clear, deployable

_RETRIES_WITHOUT_A_NUMBER = 20
"""Steps in a row whose loss may be no number: with mixed precision a few are skipped, and all is well after them."""


def main(arguments: Sequence[str]) -> int:
    """Fulfil the order that the only argument names."""
    return told(lambda: fulfil(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))))


def fulfil(order: dict[str, Any]) -> None:
    """Train; everything that can be told without torch is told first."""
    if order["train"] and isinstance(order["train"], str):
        row = rows.first_row(order["train"])
        if row is not None:
            rows.check_columns(order["train"], list(row), order["key_remapping"], {})
    local = os.path.isdir(order["model"])
    model = order["model"] if local else hub.model(order["model"], order["model_revision"])
    base = configuration.read(model)
    _refuse(configuration.of_the_model(base, order["changes"]))
    if not configuration.has_weights(model):
        raise Fault(f"the model's folder {model} has no weights", "give the folder of a whole model")
    began = time.time()
    work_dir = Path(order["work_dir"])
    clear(work_dir)
    trainer = _trainer(order, model, base)
    trainer.train()
    folder = deployable(work_dir, order["output"], began)
    _note(work_dir, folder, _iterations(trainer))


def _refuse(complaints: Any) -> None:
    for complaint in complaints:
        raise Fault(complaint.message, complaint.fix)


def _trainer(order: dict[str, Any], model: str, base: dict[str, Any]) -> Any:
    hub.leave_local_models_alone()
    from modelscope.trainers import build_trainer  # noqa: PLC0415

    _check_trainer(order["trainer_name"], is_open=order["trust_remote_code"])
    wanted = configuration.wanted_columns(base, order["changes"])
    cache, remapping = order["cache"], order["key_remapping"]
    train = rows.load(order["train"], "train", remapping, wanted, cache)
    evaluation = order["eval"] and rows.load(order["eval"], "validation", remapping, wanted, cache)
    options: dict[str, Any] = {
        "model": model,
        "train_dataset": train,
        "eval_dataset": evaluation,
        "work_dir": order["work_dir"],
        "seed": order["seed"],
        "trust_remote_code": order["trust_remote_code"],
        "cfg_modify_fn": lambda config: changed(config, order["changes"], has_eval_dataset=evaluation is not None),
    }
    if order["device"] == "cpu":
        options["device"] = "cpu"
    trainer = build_trainer(name=order["trainer_name"], default_args=options)
    if hasattr(trainer, "register_hook"):
        trainer.register_hook(_guard())
    return trainer


def _check_trainer(name: str, *, is_open: bool) -> None:
    """Fault where ModelScope has no trainer of that name, before the model is loaded."""
    from modelscope.utils.import_utils import LazyImportModule  # noqa: PLC0415

    known = sorted(key[2] for key in LazyImportModule.get_ast_index()["index"] if key[0] == "TRAINERS")
    if known and name not in known and not is_open:
        raise Fault(f"ModelScope has no trainer '{name}'", f"it has: {', '.join(known)}")


def _guard() -> Any:
    """A hook that ends a training whose loss is no number any more, instead of letting it run for days."""
    import math  # noqa: PLC0415

    from modelscope.trainers.hooks import Hook  # noqa: PLC0415

    class LossGuard(Hook):  # type: ignore[misc,unused-ignore]
        """Counts losses in a row that are no numbers."""

        in_a_row = 0

        def after_train_iter(self, trainer: Any) -> None:
            loss = getattr(trainer, "train_outputs", {}).get("loss")
            if loss is None:
                return
            self.in_a_row = 0 if math.isfinite(float(loss)) else self.in_a_row + 1
            if self.in_a_row >= _RETRIES_WITHOUT_A_NUMBER:
                raise Fault(
                    f"the training diverged: the loss is {float(loss)}, {self.in_a_row} steps in a row",
                    "lower train.optimizer.lr, or look into the data",
                )

    return LossGuard()


def _iterations(trainer: Any) -> int | None:
    """Steps of an epoch; None where it cannot be told."""
    try:
        return len(trainer.train_dataloader)
    except (AttributeError, TypeError):
        return None


def _note(work_dir: Path, folder: Path, iterations: int | None) -> None:
    logs = sorted(str(path) for path in work_dir.glob("*.log.json"))
    note = {"model": str(folder), "logs": logs, "iterations_per_epoch": iterations}
    partial = work_dir / f".{NOTE}.part"
    partial.write_text(json.dumps(note, indent=1), encoding="utf-8")
    partial.replace(work_dir / NOTE)
    sys.stdout.write(f"the trained model: {folder}\n")
