"""What a sweep leaves for people: the table of its trials, and a config of the best one that is ready to run."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from djsandbox.components.sweeper import TrialResult
from djsandbox.config.include import find_file
from djsandbox.config.model import JOB_LIST_SUFFIX, Job, SandboxConfig
from djsandbox.engine.session import secrets_of
from djsandbox.engine.sweeps.objective import Objective
from djsandbox.engine.sweeps.planned import PlannedSweep
from djsandbox.journal.atomic import write_atomically

_SHOWN_TRIALS = 20


def best_of(results: Sequence[TrialResult], objective: Objective) -> TrialResult | None:
    """The trial that came to its end with the best value, the first of those that are equal."""
    best: TrialResult | None = None
    for result in results:
        if result.status != "done" or result.value is None:
            continue
        if best is None or best.value is None or objective.is_better(result.value, best.value):
            best = result
    return best


def trial_table(results: Sequence[TrialResult], sweep: PlannedSweep) -> dict[str, Any]:
    """The arguments of `watch_table`: the trials, best first, those without a value last."""
    metric = sweep.config.metric
    names = [parameter.name for parameter in sweep.config.parameters if not parameter.is_constant]
    sign = -1.0 if metric.goal == "maximize" else 1.0

    def order(result: TrialResult) -> tuple[bool, float, int]:
        return result.status != "done", sign * (result.value or 0.0), result.trial.number

    ranked = sorted(results, key=order)
    rows = [
        [result.trial.number, result.status, result.value, *(result.trial.values.get(name) for name in names)]
        for result in ranked[:_SHOWN_TRIALS]
    ]
    hidden = len(ranked) - len(rows)
    return {
        "title": f"Trials of the sweep, best first: {metric.goal} {metric.name}",
        "columns": ["trial", "status", "value", *names],
        "rows": rows,
        "notes": [f"{hidden} more in the journal"] if hidden else [],
    }


def write_best(config: SandboxConfig, sweep: PlannedSweep, best: TrialResult, count: int, path: Path) -> None:
    """Write `config` with the values of the best of `count` trials to `path`, to be run from the same folder."""
    applied = sweep.applied(config, best.trial.values)
    data = copy.deepcopy(dict(config.positions.data)) if config.positions else {}
    for key in ("hpo_config", "resume"):
        data.pop(key, None)
    data["work_dir"] = str(config.work_dir / "best")
    for job in applied.jobs():
        entry = _entry(data, job)
        if job.local:
            entry["local"] = {value.target.text: value.value for value in job.local}
        for block in ("dj_configs", "extra_configs"):
            if block in entry:
                entry[block] = _moved(entry[block], config.folder, path.parent)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(path, "".join(f"# {line}\n" for line in _heading(config, sweep, best, count)) + "\n" + text)
    if secrets_of(config):
        path.chmod(0o600)


def _heading(config: SandboxConfig, sweep: PlannedSweep, best: TrialResult, count: int) -> Iterator[str]:
    yield f"{config.file} with the values of the best of {count} trials of {sweep.config.file}:"
    yield f"trial {best.trial.number}, {sweep.config.metric.name} = {best.value}"
    for name, value in best.trial.values.items():
        yield f"  {name}: {value}"


def _entry(data: dict[str, Any], job: Job) -> dict[str, Any]:
    """The job's entry in the file."""
    pipelines = data.get("pipelines")
    holder: Any = data
    if isinstance(pipelines, Mapping):
        holder = next(part for name, part in pipelines.items() if str(name) == job.pipeline)
    elif pipelines is not None:
        holder = next(part for item in pipelines for name, part in item.items() if str(name) == job.pipeline)
    entry: dict[str, Any] = holder[f"{job.stage}{JOB_LIST_SUFFIX}"][job.index]
    return entry


def _moved(block: Any, source: Path, target: Path) -> Any:
    """A block whose files are relative to the config's folder, for a config in another one."""
    if isinstance(block, str):
        found = find_file(block, source)
        return block if found is None or Path(block).is_file() else os.path.relpath(found, target)
    kind = block.get("type") if isinstance(block, dict) else None
    if isinstance(kind, str) and kind.startswith("."):
        file, colon, name = kind.rpartition(":")
        moved = os.path.relpath(source / file, target)
        return {**block, "type": f"{moved if moved.startswith('.') else f'./{moved}'}{colon}{name}"}
    return block
