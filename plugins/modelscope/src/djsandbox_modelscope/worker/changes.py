"""The job's keys, put into a model's configuration when ModelScope asks for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from .configuration import EVALUATING, asks_for


def changed(config: Any, changes: Mapping[str, Any], *, has_eval_dataset: bool) -> Any:
    """ModelScope's `Config` with the changes, and what follows from there being an evaluation dataset or not."""
    config.merge_from_dict(dict(changes))
    if has_eval_dataset:
        _evaluate(config)
    else:
        _evaluate_nothing(config)
    _log_the_end_of_epochs(config)
    return config


def _evaluate(config: Any) -> None:
    """After each epoch, with the training's batches, where nobody says otherwise."""
    tree = config.to_dict()
    if not asks_for(tree, "EvaluationHook"):
        config.merge_from_dict({"evaluation.period": {"interval": 1}})
    if config.safe_get("evaluation.dataloader") is None:
        config.merge_from_dict({"evaluation.dataloader": {**tree["train"].get("dataloader", {}), "shuffle": False}})


def _evaluate_nothing(config: Any) -> None:
    """A model may bring hooks that break without an evaluation dataset."""
    for hook in EVALUATING:
        if not asks_for(config.to_dict(), hook):
            continue
        sys.stdout.write(f"without an evaluation dataset, the model's own {hook} is left out\n")
        if config.safe_get("train.hooks") is not None:
            config.train.hooks = [item for item in config.train.hooks if item.get("type") != hook]
    for section, key in (("evaluation", "period"), ("train.checkpoint", "best")):
        found = config.safe_get(section)
        if found is not None:
            found.pop(key, None)


def _log_the_end_of_epochs(config: Any) -> None:
    """By default the rest of an epoch goes unlogged: a small one leaves no loss at all."""
    for item in config.safe_get("train.hooks") or ():
        if item.get("type") == "TextLoggerHook":
            item.setdefault("ignore_last", False)
    logging = config.safe_get("train.logging")
    if logging is not None:
        logging.setdefault("ignore_last", False)
