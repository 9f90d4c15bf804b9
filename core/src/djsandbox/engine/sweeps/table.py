"""The table of a sweep's trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from djsandbox.components.sweeper import TrialResult
from djsandbox.config.sweep import short_name
from djsandbox.engine.sweeps.planned import PlannedSweep

_SHOWN_TRIALS = 20


def trial_table(results: Sequence[TrialResult], sweep: PlannedSweep) -> dict[str, Any]:
    """The arguments of `watch_table`: the trials, best first, those without a value last."""
    metric = sweep.config.metric
    names = [parameter.name for parameter in sweep.config.parameters if not parameter.is_constant]
    shorts = [short_name(name) for name in names]
    pairs = list(zip(names, shorts, strict=True))
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
        "columns": ["trial", "status", "value", *(short if shorts.count(short) == 1 else name for name, short in pairs)],
        "rows": rows,
        "notes": [f"{hidden} more; all of them: djsandbox run ... --resume --json"] if hidden else [],
    }
