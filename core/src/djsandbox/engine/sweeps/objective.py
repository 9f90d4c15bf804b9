"""What a sweep optimizes: found among the outputs and metrics of a planned config, and read when a trial has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

from djsandbox.components.deferred import described, may_be_number
from djsandbox.config.numbers import is_number
from djsandbox.config.references import Reference, parse_reference
from djsandbox.config.sweep import Hyperband, SweepMetric
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.iteration import parts_of
from djsandbox.engine.links import Source, find_source
from djsandbox.engine.planned import PlannedJob
from djsandbox.errors import Position, Problem, SandboxError, did_you_mean
from djsandbox.watch.watcher import SandboxWatcher


class NeverRecordedError(SandboxError):
    """All jobs of a trial have run, and none of them told the watcher the metric."""


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric of a sweep: an output of a job (`reference`), else what the watcher saw under `watched`."""

    metric: SweepMetric
    reference: Reference | None
    watched: str
    """The name under which the watcher gets it, while its job runs or at its end."""

    job_id: str = ""
    """The job whose output it is; "" where only the watcher knows it."""

    def to_data(self) -> dict[str, Any]:
        """This as plain data."""
        metric, where = self.metric, self.metric.where
        return {
            "metric": [metric.name, metric.goal, metric.target, where.file, where.line],
            "reference": self.reference.text if self.reference else None,
            "watched": self.watched,
            "job_id": self.job_id,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The objective that `to_data` gave."""
        name, goal, target, file, line = data["metric"]
        reference = parse_reference(data["reference"]) if data["reference"] else None
        return cls(SweepMetric(name, goal, target, Position(file, line)), reference, data["watched"], data["job_id"])

    def value(self, context: ContextInfos, watcher: SandboxWatcher) -> float:
        """The metric of a run that has ended; SandboxError where it is no finite number."""
        reference = self.reference
        if reference is not None:
            value = context.lookup(str(reference.pipeline), str(reference.meta_name), reference.path)
        else:
            value = watcher.query(self.watched)
        if not is_number(value) or not math.isfinite(value):
            if value is None:
                fix = did_you_mean(self.watched, watcher.names())
                kind = SandboxError if reference is not None else NeverRecordedError
                raise kind(f"the metric '{self.metric.name}' was not recorded", where=self.metric.where, fix=fix)
            what = f"the metric '{self.metric.name}' is {described(value)}, which is no finite number"
            raise SandboxError(what, where=self.metric.where)
        return float(value)

    def is_reported_by(self, name: str, job_id: str) -> bool:
        """Whether the metric `name` of a job is this one: two jobs may share a meta_name."""
        return name == self.watched and self.job_id in ("", job_id)

    def is_better(self, value: float, other: float) -> bool:
        """Whether `value` is nearer to the goal than `other`."""
        return value > other if self.metric.goal == "maximize" else value < other

    def is_reached(self, value: float) -> bool:
        """Whether `value` is as good as the target, if there is one."""
        target = self.metric.target
        return target is not None and (value == target or self.is_better(value, target))


def find_objective(metric: SweepMetric, sources: Sequence[Source]) -> Objective:
    """The objective of a sweep for `metric`; LookupError(message, fix) where none of the jobs of `sources` produces it."""
    name = metric.name
    jobs = [one.job for one in sources]
    pipelines = {job.pipeline for job in jobs}
    steps = name.split(".")
    names = sorted({job.meta_name for job in jobs if job.meta_name})
    is_watched = any(name == known or name.startswith(f"{known}.") for known in names)
    if len(steps) > 2 and steps[0] in pipelines:
        try:
            reference = parse_reference(name)
            source = find_source(reference, sources, jobs)
        except (LookupError, ValueError):
            if not is_watched:
                raise
        else:
            value = source.value(reference.path)
            if not may_be_number(value):
                raise LookupError(f"'{name}' is {described(value)}, which is not a number", parts_of(name, value))
            return Objective(metric, reference, ".".join(steps[1:]), source.job.id)
    if name in names:
        raise LookupError(
            f"'{name}' is a job, not a metric", f"write {name}.key as the watcher gets it, or pipeline.{name}.output"
        )
    if is_watched:
        return Objective(metric, None, name)
    raise LookupError(f"no job produces the metric '{name}'", _about_unknown(steps, names, pipelines))


def _about_unknown(steps: Sequence[str], names: Sequence[str], pipelines: Set[str]) -> str:
    if steps[0] in pipelines and len(steps) == 2 and steps[1] in names:
        return f"'{'.'.join(steps)}' is a job: write {'.'.join(steps)}.output"
    fix = "write pipeline.meta_name.output, or meta_name.key as the watcher gets it"
    guess = "" if steps[0] in pipelines else did_you_mean(steps[0], [*names, *pipelines])
    return f"{guess} {fix}" if guess.startswith("did") else fix


def doubt_metric(objective: Objective, planned: Sequence[PlannedJob]) -> Iterator[Problem]:
    """A warning where nothing says before the run that anybody will record the metric."""
    if objective.reference is None and not _is_declared(objective, planned):
        message = f"whether a job records the metric '{objective.watched}' is only known when it has run"
        yield Problem(message, objective.metric.where, "an output, as pipeline.meta_name.output, is checked now", "warning")


def check_early_termination(
    hyperband: Hyperband, metric: SweepMetric, objective: Objective | None, planned: Sequence[PlannedJob]
) -> Iterator[Problem]:
    """A problem where trials are to be ended early and no job reports the metric before it has ended.

    `objective` is None where nobody produces the metric: what is reported on the way is looked for by its name then.
    """
    pipelines = {one.job.pipeline for one in planned}
    first, _, rest = metric.name.partition(".")
    sought = objective or Objective(metric, None, rest if first in pipelines else metric.name)
    if _is_declared(sought, planned):
        return
    reported = sorted({f"{one.job.meta_name}.{pattern}" for one in planned for pattern in _reported(one)})
    fix = "take early_terminate out"
    if reported:
        fix += f", or optimize what is reported while a job runs: {', '.join(reported)}"
    message = f"no job reports '{sought.watched}' before it has ended, so no trial could be ended early"
    yield Problem(message, hyperband.where, fix)


def _is_declared(objective: Objective, planned: Sequence[PlannedJob]) -> bool:
    """Whether the job that is to record the metric says that it reports it on the way."""
    for one in planned:
        prefix = f"{one.job.meta_name}."
        if one.job.meta_name and objective.watched.startswith(prefix) and objective.job_id in ("", one.job.id):
            rest = objective.watched.removeprefix(prefix)
            if any(fnmatchcase(rest, pattern) for pattern in _reported(one)):
                return True
    return False


def _reported(planned: PlannedJob) -> Sequence[str]:
    nothing: Sequence[str] = ()
    return [
        pattern
        for part in planned.parts
        for pattern in part.answer("intermediate_metrics()", lambda one: tuple(one.intermediate_metrics()), nothing)
    ]
