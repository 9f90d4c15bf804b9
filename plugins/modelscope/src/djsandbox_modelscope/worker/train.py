"""Trains one model with ModelScope, as an order (a JSON file) says, and notes at the end what has come of it."""

from __future__ import annotations

import difflib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import configuration, hub, rows
from .changes import changed
from .faults import Fault, told
from .leavings import NOTE, clear, deployable

BEGIN = "a new training begins"
"""Printed before each try, which tells its steps from those of the one before."""
_LESS = "lower train.optimizer.lr, or look into the data"
_STEPS_WITHOUT_A_NUMBER = 20
"""Steps in a row whose loss may be no number: with mixed precision a few are skipped, and all is well after them."""


def main(arguments: Sequence[str]) -> int:
    """Fulfil the order that the only argument names."""
    return told(lambda: fulfil(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))))


def fulfil(order: dict[str, Any]) -> None:
    """Train; everything that can be told without torch is told first."""
    model = order["model"] if os.path.isdir(order["model"]) else hub.model(order["model"], order["model_revision"])
    base = configuration.read(model)
    for complaint in configuration.of_the_model(base, order["changes"]):
        raise Fault(complaint.message, complaint.fix)
    if not configuration.has_weights(model):
        raise Fault(f"the model's folder {model} has no weights", "give the folder of a whole model")
    sys.stdout.write(f"{BEGIN}\n")
    began = time.time()
    work_dir = Path(order["work_dir"])
    clear(work_dir)
    with tempfile.TemporaryDirectory(dir=order["scratch"]) as cache:
        trainer = _trainer(order, model, base, cache)
        trainer.train()
    _check_weights(trainer)
    folder = deployable(work_dir, order["output"], began)
    _note(work_dir, folder, _iterations(trainer))


def _trainer(order: dict[str, Any], model: str, base: dict[str, Any], cache: str) -> Any:
    _check_trainer(order["trainer_name"], is_open=order["trust_remote_code"])
    hub.leave_local_models_alone()
    needs = rows.Needs(
        order["key_remapping"],
        configuration.wanted_columns(base, order["changes"]),
        configuration.labels(base, order["changes"]),
    )
    train = rows.load(order["train"], "train", needs, cache)
    evaluation = order["eval"] and rows.load(order["eval"], "validation", needs, cache)
    from modelscope.trainers import build_trainer  # noqa: PLC0415

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
    """Fault where ModelScope has no trainer of that name; told from its index, with nothing loaded."""
    from modelscope.utils.import_utils import LazyImportModule  # noqa: PLC0415

    known = sorted(key[2] for key in LazyImportModule.get_ast_index()["index"] if key[0] == "TRAINERS")
    if known and name not in known and not is_open:
        near = difflib.get_close_matches(name, known)
        raise Fault(f"ModelScope has no trainer '{name}'", f"did you mean {' or '.join(near)}?" if near else f"it has {known}")


def _guard() -> Any:
    """A hook that ends a training whose loss is no number any more, instead of letting it run for days."""
    from modelscope.trainers.hooks import Hook  # noqa: PLC0415

    class LossGuard(Hook):  # type: ignore[misc,unused-ignore]
        """Counts losses in a row that are no numbers."""

        in_a_row = 0

        def after_train_iter(self, trainer: Any) -> None:
            loss = getattr(trainer, "train_outputs", {}).get("loss")
            if loss is None:
                return
            self.in_a_row = 0 if math.isfinite(float(loss)) else self.in_a_row + 1
            if self.in_a_row >= _STEPS_WITHOUT_A_NUMBER:
                raise Fault(
                    f"the training diverged: the loss is {float(loss)}, {self.in_a_row} steps in a row",
                    _LESS,
                )

    return LossGuard()


def _check_weights(trainer: Any) -> None:
    """Fault where the last step has made weights that are no numbers, which no loss has told of."""
    import torch  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    model = getattr(trainer, "model", None)
    for name, values in model.named_parameters() if isinstance(model, torch.nn.Module) else ():
        if not torch.isfinite(values).all():
            raise Fault(f"the training diverged: the weights {name} are no numbers", _LESS)


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
