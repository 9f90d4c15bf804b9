"""What can be found wrong with a training or an inference before it is run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from djsandbox import Finding, is_decided_at_run
from djsandbox.errors import did_you_mean

from djsandbox_modelscope.cache import cache_folder, is_cached
from djsandbox_modelscope.sources import HubDataset, HubModel
from djsandbox_modelscope.trainer_names import TRAINER_NAMES
from djsandbox_modelscope.worker import configuration, leavings, rows
from djsandbox_modelscope.worker.faults import Fault
from djsandbox_modelscope.worker.leavings import BEST_OUTPUT, OUTPUT


def check_training(config: Any, changes: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings about a trainer's config; `changes` are its sections."""
    has_eval_dataset = config.eval_dataset is not None
    for complaint in configuration.of_the_job(changes, has_eval_dataset=has_eval_dataset):
        yield Finding(complaint.key, complaint.message, complaint.fix)
    if config.evaluation and not has_eval_dataset and "period" not in config.evaluation:
        yield Finding(("evaluation",), "without 'eval_dataset' nothing is evaluated", severity="warning")
    yield from _trainer(config)
    try:
        leavings.refuse_foreign(Path(config.work_dir))
    except Fault as fault:
        yield Finding(("work_dir",), fault.message, fault.fix)
    base = None
    of_the_model = list(check_model(config.model_name, "model_name"))
    yield from of_the_model
    if _is_there(config.model_name):
        yield from _inside(config)
        if not of_the_model:
            base = configuration.read(config.model_name)
            for complaint in configuration.of_the_model(base, changes):
                yield _as_it_is_now(config.model_name, Finding(complaint.key, complaint.message, complaint.fix))
    for key in ("train_dataset", "eval_dataset"):
        yield from _data(key, getattr(config, key), config.key_remapping, base, changes)


def check_model(model: str | HubModel, key: str) -> Iterator[Finding]:
    """Findings about the model: its folder, or whether it has to be downloaded."""
    if isinstance(model, HubModel):
        if not is_cached(model.hub):
            yield Finding(
                (key,),
                f"'{model.hub}' is taken for a model of ModelScope's hub, and will be downloaded to {cache_folder()}",
                fix="where there is no network, give the folder of a model; a path begins with './' or '/'",
                severity="warning",
            )
        return
    if not _is_there(model):
        if os.path.isfile(model):
            yield Finding((key,), f"'{model}' is a file, not the folder of a model")
        return
    try:
        configuration.read(model)
    except Fault as fault:
        yield _as_it_is_now(model, Finding((key,), fault.message, fault.fix))
        return
    if not configuration.has_weights(model):
        finding = Finding((key,), f"the model's folder '{model}' has no weights", "give the folder of a whole model")
        yield _as_it_is_now(model, finding)


def _as_it_is_now(model: str, finding: Finding) -> Finding:
    """Only a warning for what a training of ours writes: this run may write it anew. The task looks again."""
    if os.path.basename(os.path.normpath(model)) not in (OUTPUT, BEST_OUTPUT):
        return finding
    return replace(finding, message=f"as it is now, {finding.message}", severity="warning")


def _is_there(model: Any) -> bool:
    return isinstance(model, str) and not is_decided_at_run(model) and os.path.isdir(model)


def _trainer(config: Any) -> Iterator[Finding]:
    name = config.trainer_name
    if name in TRAINER_NAMES or is_decided_at_run(name):
        return
    # A model's own code may bring a trainer, and another release may have others.
    is_open = config.trust_remote_code or config.env_manager == "existing"
    yield Finding(
        ("trainer_name",),
        f"ModelScope has no trainer '{name}'",
        did_you_mean(name, TRAINER_NAMES) or "nlp-base-trainer trains most text models, trainer most others",
        severity="warning" if is_open else "error",
    )


def _inside(config: Any) -> Iterator[Finding]:
    """A training begins with an empty folder: it would remove its own model."""
    model, work_dir = os.path.abspath(config.model_name), os.path.abspath(config.work_dir)
    if os.path.commonpath((model, work_dir)) == work_dir:
        message = f"the model lies in '{config.work_dir}', which the training empties"
        yield Finding(("work_dir",), message, "train into another folder")


def _data(
    key: str, dataset: Any, remapping: Mapping[str, str], base: Mapping[str, Any] | None, changes: Mapping[str, Any]
) -> Iterator[Finding]:
    """Warnings only: the data may be what an earlier job will write anew. The task looks again, and then it is an error."""
    if isinstance(dataset, HubDataset):
        message = f"'{dataset.dataset_name}' is taken for a dataset of ModelScope's hub, and will be downloaded"
        yield Finding((key,), message, "a path begins with './' or '/'", severity="warning")
        return
    if dataset is None or is_decided_at_run(dataset):
        return
    try:
        row = rows.first_row(dataset)
        if row is not None:
            wanted = configuration.wanted_columns(base, changes) if base is not None else {}
            rows.check_columns(dataset, list(row), remapping, wanted)
    except Fault as fault:
        yield Finding((key,), f"as it is now, {fault.message}", fault.fix or None, severity="warning")
