"""What a model's configuration.json has to say for a training, looked at before anything heavy is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import Fault

FILE = "configuration.json"
WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.safetensors", "*.ckpt", "*.onnx", "*.pb", "*.msgpack", "*.h5")
EVALUATING = ("EvaluationHook", "BestCkptSaverHook")
"""The hooks of a trainer that need an evaluation dataset."""
_PLACES_OF_HOOKS = {"EvaluationHook": "evaluation.period", "BestCkptSaverHook": "train.checkpoint.best"}
_OWN_PLACES = ("output_dir", "output_sub_dir", "save_dir")
_HOOKS_OF_CHECKPOINTS = ("CheckpointHook", "BestCkptSaverHook")
_WHOLE_NUMBERS = {
    "train.max_epochs": 1,
    "train.max_iters": 1,
    "train.dataloader.batch_size_per_gpu": 1,
    "train.dataloader.workers_per_gpu": 0,
    "evaluation.dataloader.batch_size_per_gpu": 1,
    "evaluation.dataloader.workers_per_gpu": 0,
}
"""Settings that count something, with the least that they may be."""


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a training, at which key of the job, and what helps."""

    key: tuple[str | int, ...]
    message: str
    fix: str = ""


def read(folder: str) -> dict[str, Any]:
    """The configuration.json of a model's folder; Fault where there is none that can be used."""
    path = Path(folder) / FILE
    if not path.is_file():
        if (Path(folder) / "config.json").is_file():
            told = "it has a config.json, as models of Hugging Face do: write a configuration.json beside it"
        else:
            told = "give the folder of a whole model, such as the 'output' of an earlier training"
        raise Fault(f"the model's folder {folder} has no {FILE}, which ModelScope begins with", told)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Fault(f"{path} cannot be read: {error}", "it must be JSON") from None
    if not isinstance(found, dict):
        raise Fault(f"{path} is no mapping", "it has 'framework', 'task', 'model', 'preprocessor', 'train', ...")
    return found


def has_weights(folder: str) -> bool:
    """Whether there is any file of weights in the folder, or below."""
    return any(any(Path(folder).rglob(pattern)) for pattern in WEIGHTS)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`, as far as a check needs it: mappings within mappings, dotted keys, lists of both."""
    result = dict(base)
    for key, value in _nested(changes).items():
        before = result.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            result[key] = merged(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            result[key] = [*before, *value]
        else:
            result[key] = value
    return result


def get(tree: Mapping[str, Any], dotted: str) -> Any:
    """The value at `dotted`; None where there is none."""
    value: Any = tree
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def asks_for(tree: Mapping[str, Any], hook: str) -> bool:
    """Whether this hook is configured, in one of the two ways that ModelScope knows."""
    hooks = get(tree, "train.hooks")
    listed = isinstance(hooks, Sequence) and any(isinstance(item, Mapping) and item.get("type") == hook for item in hooks)
    return listed or get(tree, _PLACES_OF_HOOKS[hook]) is not None


def place_of(hook: str, tree: Mapping[str, Any]) -> tuple[str, ...]:
    """The key by which the hook is configured in `tree`."""
    dotted = _PLACES_OF_HOOKS[hook]
    return tuple(dotted.split(".")) if get(tree, dotted) is not None else ("train", "hooks")


def of_the_job(changes: Mapping[str, Any], *, has_eval_dataset: bool) -> Iterator[Complaint]:
    """What is wrong with the job's own keys, whatever the model."""
    tree = merged({}, changes)
    for hook in EVALUATING:
        if asks_for(tree, hook) and not has_eval_dataset:
            message = f"{hook} needs an evaluation dataset: without one the training breaks after the first epoch"
            yield Complaint(place_of(hook, tree), message, "set 'eval_dataset', or leave it out")
    for where, asked in _checkpoints(tree):
        for key in _OWN_PLACES:
            if key in asked:
                message = f"'{key}' would put the model elsewhere than where it is looked for"
                yield Complaint((*where, key), message, "use 'work_dir'")
        if "hub_token" in asked:
            message = "a token in a config is readable by others"
            yield Complaint((*where, "hub_token"), message, "set the variable MODELSCOPE_API_TOKEN")
    for dotted, least in _WHOLE_NUMBERS.items():
        value = get(tree, dotted)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            yield Complaint(tuple(dotted.split(".")), f"'{dotted}' must be a whole number from {least} on, not {value!r}")
    rate = get(tree, "train.optimizer.lr")
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float))):
        yield Complaint(("train", "optimizer", "lr"), f"'train.optimizer.lr' must be a number, not {rate!r}")


def _checkpoints(tree: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """What is said of checkpoints, and where, in one of the two ways that ModelScope knows."""
    for kind in ("period", "best"):
        asked = get(tree, f"train.checkpoint.{kind}")
        if isinstance(asked, Mapping):
            yield ("train", "checkpoint", kind), asked
    hooks = get(tree, "train.hooks")
    for at, hook in enumerate(hooks if isinstance(hooks, list) else ()):
        if isinstance(hook, Mapping) and hook.get("type") in _HOOKS_OF_CHECKPOINTS:
            yield ("train", "hooks", at), hook


def of_the_model(configuration: Mapping[str, Any], changes: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is still missing for a training where the job's keys are added to the model's configuration."""
    tree = merged(configuration, changes)
    wanted = {
        "train.max_epochs": "2",
        "train.dataloader.batch_size_per_gpu": "8",
        "train.dataloader.workers_per_gpu": "0",
        "train.optimizer.type": "AdamW",
        "train.lr_scheduler.type": "StepLR with a step_size",
    }
    for dotted, example in wanted.items():
        if get(tree, dotted) is None:
            message = f"neither the job nor the model's {FILE} says '{dotted}', without which nothing can be trained"
            yield Complaint(("train",), message, f"set it under 'train', for example to {example}")
    for key in ("framework", "task"):
        if configuration.get(key) is None and tree.get(key) is None:
            yield Complaint(("model_name",), f"the model's {FILE} lacks '{key}'", "add it there")


def wanted_columns(configuration: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, str]:
    """The columns that the model's preprocessor reads, by the key that names each; those that can be told."""
    preprocessor = get(merged(configuration, changes), "preprocessor")
    if not isinstance(preprocessor, Mapping):
        return {}
    if isinstance(preprocessor.get("train"), Mapping):  # one for training, one for evaluation
        preprocessor = preprocessor["train"]
    keys = ("first_sequence", "second_sequence", "src_txt", "tgt_txt", "label")
    named = {key: preprocessor[key] for key in keys if isinstance(preprocessor.get(key), str)}
    if preprocessor.get("type") == "text-gen-tokenizer" and not {"first_sequence", "src_txt"} & set(named):
        named["src_txt"] = "src_txt"
    dataset = get(merged(configuration, changes), "dataset.train")
    for key in keys if isinstance(dataset, Mapping) else ():
        if isinstance(dataset.get(key), str):
            named[key] = dataset[key]
    return named


def labels(configuration: Mapping[str, Any], changes: Mapping[str, Any]) -> frozenset[str] | None:
    """The labels that the model knows, as texts; None where its configuration does not say."""
    tree = merged(configuration, changes)
    of_training = get(tree, "dataset.train.labels")
    if isinstance(of_training, list):
        return frozenset(map(str, of_training))
    known = get(tree, "preprocessor.label2id") or get(tree, "preprocessor.train.label2id")
    return frozenset(map(str, known)) if isinstance(known, Mapping) and known else None


def _nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for full, value in changes.items():
        *above, last = str(full).split(".")
        place = result
        for key in above:
            place = place.setdefault(key, {})
        place[last] = merged({}, value) if isinstance(value, Mapping) else value
    return result
