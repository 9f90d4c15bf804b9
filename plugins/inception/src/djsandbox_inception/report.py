"""What the results of an evaluation become: outputs, lines of a file, a table."""

from __future__ import annotations

import fcntl
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN
from djsandbox.errors import ComponentError

from djsandbox_inception.config import InceptionConfig
from djsandbox_inception.metrics import METRICS, Metric

Table = tuple[str, list[str], list[list[Any]], list[str]]


def planned(config: InceptionConfig) -> dict[str, Any]:
    """The outputs, as far as the config tells."""
    keys = [key for metric in config.metrics for key in metric.result_keys(config.num_runs)]
    return {
        "results": dict.fromkeys(keys, DECIDED_AT_RUN),
        "metric": config.metric,
        "total_time": DECIDED_AT_RUN,
        "total_time_str": DECIDED_AT_RUN,
        "world_size": 1,
    }


def checked(result: dict[str, Any], metric: Metric, runs: int) -> dict[str, Any]:
    """`result` as it is, where it has a finite number for each key; else ValueError, KeyError or TypeError."""
    for key in metric.result_keys(runs):
        if not math.isfinite(result["results"][key]):
            raise ValueError(f"{key} is {result['results'][key]}")
    return result


def outputs(config: InceptionConfig, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The job's output, in the shape of the existing sandbox: one mapping, also where there are several metrics."""
    merged = {key: value for result in results for key, value in result["results"].items()}
    return _described(config.metric, merged, sum(result["total_time"] for result in results))


def write(config: InceptionConfig, results: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Add a line for each metric that is not there already, as after a resumed run; all other lines stay."""
    lines = [
        {
            **_described(result["metric"], result["results"], result["total_time"]),
            "num_runs": config.num_runs,
            "real_data_path": config.real_data_path,
            "fake_data_path": config.fake_data_path,
            "seed": config.seed,
            "samples": result["samples"],
        }
        for result in results
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # jobs that share the file may end at once
        file.seek(0)
        text = file.read()
        there = _lines_of(target, text)
        new = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines if line not in there)
        file.write(f"\n{new}" if text and not text.endswith("\n") else new)


def table(config: InceptionConfig, results: Sequence[Mapping[str, Any]]) -> Table:
    """Title, columns, rows and notes of the table for people."""
    rows: list[list[Any]] = []
    for result in results:
        samples = result["samples"]
        sizes = [_size(samples.get(side)) for side in ("fake", "real")]
        rows += [[key, f"{value:.4f}", *sizes] for key, value in result["results"].items()]
    return "Inception metrics", ["metric", "value", "generated", "real"], rows, _notes(config, results)


def _notes(config: InceptionConfig, results: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    for result in results:
        metric = METRICS[result["metric"]]
        sides = [
            (called, result["samples"][side])
            for side, called in (("fake", "generated"), ("real", "real"))
            if side in result["samples"]
        ]
        few = [f"{counts['distinct']} {called}" for called, counts in sides if counts["distinct"] < metric.samples]
        if few:
            what = f"{'frames' if metric.length is None else 'clips'}, not {metric.samples}"
            notes.append(f"{metric.name}: only {' and '.join(few)} {what}: comparable only with values over as many.")
        notes += [
            f"{metric.name}: {counts['skipped']} {called} videos are shorter than a clip and were left out."
            for called, counts in sides
            if counts["skipped"]
        ]
    return notes


def _size(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return ""
    distinct = "" if counts["distinct"] == counts["drawn"] else f" ({counts['distinct']} different)"
    return f"{counts['drawn']} of {counts['videos']} videos{distinct}"


def _described(metric: Any, results: Mapping[str, float], seconds: float) -> dict[str, Any]:
    return {
        "results": dict(results),
        "metric": metric,
        "total_time": seconds,
        "total_time_str": _duration(seconds),
        "world_size": 1,
    }


def _duration(seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count}{unit}" if at == 0 else f"{count:02d}{unit}" for at, (count, unit) in enumerate(parts))


def _lines_of(target: Path, text: str) -> list[Any]:
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                lines.append(json.loads(line))
            except ValueError as error:
                message = f"{target}:{number} is no JSON, so no results can be added to the file"
                raise ComponentError(message, fix="remove the file, or name another 'result_path'") from error
    return lines
