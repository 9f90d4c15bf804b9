"""What a model said of each sample: kept beside the samples, and summed up."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError

RESULT_KEY = "model_feedback"
"""Key of a sample's result in its row."""

_FILE = "samples_with_model_feedback.jsonl"


def record(samples: Sequence[Mapping[str, Any]], results: Sequence[Any], folder: Path) -> Path:
    """Write each sample, untouched, with its result under `model_feedback`: JSON lines, complete or not at all.

    A result of an earlier probe under that key is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _FILE
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8") as lines:
        for number, (sample, result) in enumerate(zip(samples, results, strict=True), start=1):
            try:
                line = json.dumps({**sample, RESULT_KEY: result}, ensure_ascii=False, default=_plain)
            except (TypeError, ValueError) as error:
                raise ComponentError(
                    f"sample {number} or its result cannot be written as JSON: {error}",
                    fix="let the samples and the results be text, numbers, lists and mappings",
                ) from error
            lines.write(f"{line}\n")
    partial.replace(path)
    return path


def summary(results: Sequence[Any]) -> dict[str, Any]:
    """The distribution of the numbers in `results`; of mappings, that of each key, nested ones included.

    Measures are named as those of an analysis: `count`, `mean`, `std`, `min`, `25%`, `50%`, `75%`, `max`. What is neither a
    number nor holds one is left out.
    """
    if any(isinstance(result, Mapping) for result in results):
        keys = dict.fromkeys(str(key) for result in results if isinstance(result, Mapping) for key in result)
        parts = {
            key: summary([result[key] for result in results if isinstance(result, Mapping) and key in result]) for key in keys
        }
        return {key: part for key, part in parts.items() if part}
    numbers = [number for result in results if (number := _number(result)) is not None]
    return _distribution(numbers) if numbers else {}


def _distribution(numbers: Sequence[float]) -> dict[str, float]:
    quarters = statistics.quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else [numbers[0]] * 3
    return {
        "count": len(numbers),
        "mean": statistics.fmean(numbers),
        "std": statistics.stdev(numbers) if len(numbers) > 1 else 0.0,
        "min": min(numbers),
        **dict(zip(("25%", "50%", "75%"), quarters, strict=True)),
        "max": max(numbers),
    }


def _number(value: Any) -> float | None:
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None


def _plain(value: Any) -> Any:
    """Arrays and scalars of numpy, and dates, as JSON has them."""
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    raise TypeError(f"{type(value).__name__} is no value of JSON")
