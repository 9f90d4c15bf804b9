"""How a run or a sweep ended, as data and in words."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

from djsandbox.cli.show import counted
from djsandbox.engine.run import RunResult
from djsandbox.engine.sweeps.result import SweepResult


def run_data(result: RunResult) -> dict[str, Any]:
    """A run for `--json`."""
    return {
        "run_id": result.run_id, "work_dir": str(result.work_dir), "seconds": round(result.seconds, 3),
        "iterations": result.iterations, "targets_met": result.targets_met,
        "executed": result.executed, "reused": result.reused, "context_infos": result.context,
        "tables": [dataclasses.asdict(table) for table in result.tables],
    }  # fmt: skip


def sweep_data(result: SweepResult) -> dict[str, Any]:
    """A sweep for `--json`."""
    return {
        "run_id": result.run_id, "work_dir": str(result.work_dir), "seconds": round(result.seconds, 3),
        "trials": [_trial(trial) for trial in result.trials],
        "best": _trial(result.best), "best_config": str(result.best_config),
        "tables": [dataclasses.asdict(table) for table in result.tables],
    }  # fmt: skip


def run_ending(result: RunResult) -> Iterator[str]:
    """The last lines of a run."""
    if result.iterations > 1 or result.targets_met is not None:
        met = {True: "targets met", False: "targets not met", None: "no targets"}[result.targets_met]
        yield f"\n{counted(result.iterations, 'iteration')}, {met}"
    done = f"{counted(len(result.executed), 'job')} run, {len(result.reused)} reused, {result.seconds:.1f} s"
    yield f"\n{result.run_id} done: {done}; context: {result.work_dir / 'context_infos.json'}"


def sweep_ending(result: SweepResult) -> Iterator[str]:
    """The last lines of a sweep."""
    counts = Counter(trial.status for trial in result.trials)
    others = "".join(f", {counts[status]} {status}" for status in ("stopped", "failed") if counts[status])
    best = result.best
    yield f"\n{result.run_id} done: {counted(len(result.trials), 'trial')}{others}, {result.seconds:.1f} s"
    values = ", ".join(f"{name} = {value}" for name, value in best.trial.values.items())
    yield f"best: trial {best.trial.number} with {best.value:.6g}: {values}"
    yield f"run it again with: djsandbox run {shlex.quote(str(result.best_config))}"


def _trial(result: Any) -> dict[str, Any]:
    return {
        "number": result.trial.number, "status": result.status, "value": result.value, "parameters": dict(result.trial.values),
    }  # fmt: skip
