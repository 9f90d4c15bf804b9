"""The metrics of a training: from its log while it runs, from the structured history when it has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError, Position

_NUMBER = r"-?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|nan|inf)"
_HEAD = re.compile(
    r" - INFO - (?:epoch(?:\((?P<eval>eval|val)\))? \[(?P<epoch>\d+)\]\[(?P<at>\d+)(?:/(?P<of>\d+))?\]"
    r"|iter(?:\((?P<eval_iter>eval|val)\))? \[(?P<iter>\d+)(?:/\d+)?\])\s+(?P<values>\S.*)"
)
_VALUE = re.compile(rf"(?P<name>[A-Za-z_][\w./ -]*?): (?P<value>{_NUMBER})(?=[,\s]|$)")
_NOT_A_METRIC = frozenset({"mode", "epoch", "iter", "eta", "iter_time", "data_load_time"})


@dataclass(frozen=True)
class Record:
    """What is told of one step: the numbers by name (`loss`, `evaluation/accuracy`), of training or of evaluation."""

    is_evaluation: bool
    epoch: int | None
    at: int
    values: Mapping[str, float]
    steps_of_epoch: int | None = None

    @property
    def place(self) -> tuple[bool, int | None, int]:
        """Tells it from other records, whichever of the two it was read from."""
        return self.is_evaluation, self.epoch, self.at

    def step(self, steps_of_epoch: int | None) -> int:
        """Steps since the training began."""
        if self.epoch is None:
            return self.at
        length = self.steps_of_epoch or steps_of_epoch
        if self.is_evaluation:
            return self.epoch * length if length else self.epoch
        return (self.epoch - 1) * length + self.at if length else self.at


def record_of(line: str) -> Record | None:
    """The record in a line of ModelScope's log; None where it is another line."""
    found = _HEAD.search(line)
    if found is None:
        return None
    values = {item["name"].strip(): float(item["value"]) for item in _VALUE.finditer(found["values"])}
    metrics = {name: value for name, value in values.items() if name not in _NOT_A_METRIC}
    if not metrics:
        return None
    is_evaluation = bool(found["eval"] or found["eval_iter"])
    if found["iter"]:
        return Record(is_evaluation, None, int(found["iter"]), metrics)
    steps = int(found["of"]) if found["of"] else None
    return Record(is_evaluation, int(found["epoch"]), int(found["at"]), metrics, steps)


def read_history(path: str) -> Iterator[Record]:
    """The records of a `*.log.json`; ComponentError where it cannot be read."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ComponentError(f"the history of the training cannot be read: {error}", where=Position(path)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except ValueError as error:
            raise ComponentError(f"the history of the training is broken: {error}", where=Position(path, number)) from error
        if isinstance(told, dict) and told.get("mode") in ("train", "eval", "val"):
            metrics = dict(_numbers(told))
            if metrics:
                yield Record(told["mode"] != "train", told.get("epoch"), int(told.get("iter") or 0), metrics)


def nested(values: Mapping[str, float]) -> dict[str, Any]:
    """`evaluation/accuracy` as a mapping in a mapping, which the watcher gives names with dots."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        *above, last = name.replace(" ", "_").split("/")
        place = result
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return result


def _numbers(told: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in told.items():
        if name in _NOT_A_METRIC or isinstance(value, bool):
            continue
        if isinstance(value, (int, float)):
            yield name, float(value)
        elif isinstance(value, Mapping):  # the learning rates of several groups
            yield from ((f"{name}_{key}", float(item)) for key, item in value.items() if isinstance(item, (int, float)))
