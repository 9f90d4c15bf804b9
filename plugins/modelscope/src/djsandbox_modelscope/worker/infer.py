"""Runs a ModelScope pipeline over samples, as an order (a JSON file) says: a result a line, in their order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import configuration, hub
from .faults import Fault, told

_REPORTS = 20
"""How often the progress is told."""


def main(arguments: Sequence[str]) -> int:
    """Fulfil the order that the only argument names."""
    return told(lambda: fulfil(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))))


def fulfil(order: dict[str, Any]) -> None:
    """Write the results when all samples have one."""
    samples = [json.loads(line) for line in Path(order["samples"]).read_text(encoding="utf-8").splitlines()]
    inputs = [_input(sample, order, number) for number, sample in enumerate(samples, start=1)]
    model = order["model"] if os.path.isdir(order["model"]) else hub.model(order["model"], order["model_revision"])
    configuration.read(model)
    hub.leave_local_models_alone()
    pipeline = _pipeline(order, model)
    results = Path(order["results"])
    partial = results.with_name(f".{results.name}.part")
    done = 0
    with partial.open("w", encoding="utf-8") as lines:
        for result in _results(pipeline, inputs, order):
            done += 1
            lines.write(f"{_as_json(result, done)}\n")
            if done % max(1, len(inputs) // _REPORTS) == 0 or done == len(inputs):
                sys.stdout.write(f"inferred {done}/{len(inputs)}\n")
    partial.replace(results)


def _input(sample: dict[str, Any], order: dict[str, Any], number: int) -> Any:
    """What the pipeline is given for a sample: the text at a key, a tuple for several keys, or the sample itself."""
    renamed = {order["key_remapping"].get(key, key): value for key, value in sample.items()}
    wanted = order["input_key"]
    if wanted is None:
        return renamed
    values = []
    for key in [wanted] if isinstance(wanted, str) else wanted:
        if key not in renamed:
            raise Fault(f"sample {number} has no '{key}', only {', '.join(renamed) or 'nothing'}", "set 'input_key'")
        values.append(renamed[key])
    return values[0] if isinstance(wanted, str) else tuple(values)


def _pipeline(order: dict[str, Any], model: str) -> Any:
    from modelscope.pipelines import pipeline  # noqa: PLC0415

    options = {"trust_remote_code": True} if order["trust_remote_code"] else {}
    device = {"device": "cpu"} if order["device"] == "cpu" else {}
    return pipeline(task=order["task"], model=model, **device, **options, **order["pipeline_params"])


def _results(pipeline: Any, inputs: list[Any], order: dict[str, Any]) -> Iterator[Any]:
    size, options = order["batch_size"], dict(order["call_params"])
    if size > 1:
        options["batch_size"] = size
    for start in range(0, len(inputs), size):
        batch = inputs[start : start + size]
        try:
            answer = pipeline(batch, **options)
            found = list(answer) if not isinstance(answer, dict) else [answer]
        except Exception as error:
            last = start + len(batch)
            where = f"sample {start + 1}" if len(batch) == 1 else f"samples {start + 1} to {last}"
            raise RuntimeError(f"the pipeline failed at {where}") from error
        if len(found) != len(batch):
            raise Fault(
                f"the pipeline gave {len(found)} results for {len(batch)} samples",
                "it takes a list as one input: there is no result for each sample to be had from it",
            )
        yield from found


def _as_json(result: Any, number: int) -> str:
    try:
        return json.dumps(result, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise Fault(f"the result of sample {number} cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    """Tensors, arrays and their scalars as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"a {type(value).__name__} is no value of JSON")
