"""What a sweep would do with each job: once for all trials, or in every one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from djsandbox.components.base import Component
from djsandbox.engine.folders import Folders
from djsandbox.engine.forecast import Forecast
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.sweeps.comparable import basis_of
from djsandbox.engine.sweeps.record import sweep_to_go_on_with
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.journal import Journal


def forecast_sweep(plan: Plan) -> Iterator[Forecast]:
    """Each job of the plan of a sweep; nothing is written."""
    assert plan.sweep is not None  # noqa: S101
    others = [{one.job.id: one for one in jobs} for jobs in plan.sweep.examples]
    in_every: set[str] = set()
    for planned in plan.jobs:
        why = _why_in_every(planned, [jobs[planned.job.id] for jobs in others], in_every)
        if why is None:
            yield Forecast(planned, "run", "once: its result is the same in every trial, which share it")
        else:
            in_every.add(planned.job.id)
            yield Forecast(planned, "run", f"in every trial: {why}")


def ended_trials(plan: Plan) -> int:
    """How many trials the sweep that a run would go on with has behind it; ConfigError where it cannot go on."""
    if not plan.config.resume:
        return 0
    folders = Folders(plan.config.work_dir)
    basis = basis_of(plan, Fingerprints(folders.sweep_fingerprints))
    found = sweep_to_go_on_with(plan, Journal(plan.config.work_dir), basis)
    return len(found.results) if found else 0


def _why_in_every(planned: PlannedJob, others: list[PlannedJob], in_every: set[str]) -> str | None:
    if not planned.job.reuse:
        return "reuse is off for this job"
    if any(part.component is None or not part.component.deterministic for part in planned.parts):
        return "it is not known to give the same result again"
    if any(_decisive(other) != _decisive(planned) for other in others):
        return "the parameters change it"
    upstream = sorted(planned.reads & in_every)
    return f"it reads from {', '.join(upstream)}" if upstream else None


def _decisive(planned: PlannedJob) -> list[Any]:
    """What the job's result depends on: of a block that feeds components what they say, of another (a recipe to refine) all."""

    def fields(component: Component) -> Mapping[str, Any]:
        return dict(component.key_fields())

    fed = {part.use.block for part in planned.parts}
    blocks = {"dj_configs": planned.dj_configs.data, "extra_configs": planned.extra_configs.data}
    nothing: Mapping[str, Any] = {}
    return [
        *(part.answer("key_fields()", fields, nothing) for part in planned.parts),
        *(data for name, data in blocks.items() if name not in fed),
    ]
