"""Whether the trials of a sweep can be compared with those of the runs before: the same question, put in the same way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from djsandbox.components.paths import path_uses
from djsandbox.config.sweep import SweepConfig
from djsandbox.engine.ingredients import library_version
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.sweeps.request import config_digest
from djsandbox.errors import Position, Problem
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.keys import content_key
from djsandbox.plugins.sources import worker_digest

_FIX = "undo that, or begin a new sweep: in another --work_dir, or without --resume, which overwrites this one"


@dataclass(frozen=True, slots=True)
class Basis:
    """What the values of a sweep's trials rest on, each thing by its name with a digest of it.

    `space` is what is searched, and for what; `config` the sandbox config; `code` the components of each job, their versions
    and libraries; `data` the files that no job makes.
    """

    space: Mapping[str, str]
    config: str
    code: Mapping[str, str]
    data: Mapping[str, str]

    def to_fields(self) -> dict[str, Any]:
        """This as plain data."""
        return {"space": dict(self.space), "config": self.config, "code": dict(self.code), "data": dict(self.data)}

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> Basis:
        """The basis that `to_fields` gave."""
        return cls(data["space"], data["config"], data["code"], data["data"])


def basis_of(plan: Plan, fingerprints: Fingerprints) -> Basis:
    """The basis of the sweep of `plan` now; reads the data that it rests on."""
    assert plan.sweep is not None  # noqa: S101
    written = [os.path.abspath(path) for job in plan.jobs for path in job.writes]
    return Basis(
        space=_space(plan.sweep.config),
        config=config_digest(plan.config),
        code={job.job.id: _code(job) for job in plan.jobs},
        data={path: fingerprints.of(path) for job in plan.jobs for path in _data(job, written)},
    )


def differences(before: Basis, now: Basis, plan: Plan, name: str) -> Iterator[Problem]:
    """A problem for each thing that keeps the sweep `name` from going on."""
    assert plan.sweep is not None  # noqa: S101
    sweep = plan.sweep.config
    places = {_parameter(one.name): one.where for one in sweep.parameters}
    places |= {"method": sweep.at("method"), "metric": sweep.metric.where, "goal": sweep.metric.where}
    for thing in _changed(before.space, now.space):
        yield _problem(f"{thing} was changed", name, places.get(thing, sweep.at("parameters")))
    where = plan.config.at("hpo_config")
    if before.config != now.config:
        yield _problem("the config was changed", name, where)
        return
    for job_id in _changed(before.code, now.code):
        yield _problem(f"the code or the version of a component of {job_id} was changed", name, where)
    for path in _changed(before.data, now.data):
        yield _problem(f"'{path}' was changed", name, where)


def _problem(what: str, name: str, where: Position) -> Problem:
    return Problem(f"{what} since the sweep {name} began, so its trials could not be compared", where, _FIX)


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def _space(sweep: SweepConfig) -> dict[str, str]:
    space: dict[str, Any] = {"method": sweep.method, "metric": sweep.metric.name, "goal": sweep.metric.goal}
    space |= {_parameter(one.name): [one.distribution, repr(dict(one.arguments))] for one in sweep.parameters}
    return {name: content_key({"": value}) for name, value in space.items()}


def _parameter(name: str) -> str:
    return f"the parameter '{name}'"


def _code(job: PlannedJob) -> str:
    origins = [[one.distribution, one.version, one.source_digest] for one in (job.hook_origin, *job.origins)]
    components = [part.component for part in job.parts if part.component is not None]
    return content_key(
        {
            "origins": origins,
            "key_versions": [one.key_version for one in components],
            "libraries": {library: library_version(library) for one in components for library in one.libraries},
            "workers": [worker_digest(type(one), worker) for one in components for worker in one.workers],
        }
    )


def _data(job: PlannedJob, written: list[str]) -> Iterator[str]:
    for part in job.parts:
        if part.component is None or not part.is_whole:
            continue
        for use in path_uses(part.component.config):
            path = os.path.abspath(use.value)
            is_made = any(path == one or path.startswith(one + os.sep) for one in written)
            if use.kind == "input" and not part.block.defers(use.loc) and not is_made and os.path.exists(path):
                yield use.value
