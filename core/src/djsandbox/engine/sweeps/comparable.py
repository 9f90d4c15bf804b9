"""Whether the trials of a sweep can be compared with those of the runs before: the same question, put in the same way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.components.paths import path_uses
from djsandbox.config.include import find_file
from djsandbox.config.model import SandboxConfig
from djsandbox.config.sweep import SweepConfig
from djsandbox.engine.folders import Folders
from djsandbox.engine.ingredients import library_version
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.sweeps.request import ConfigChangedError, config_digest
from djsandbox.errors import Position, Problem
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.keys import content_key
from djsandbox.plugins.sources import worker_digest

_FIX = "undo that, or begin a new sweep: in another --work_dir, or without --resume, which overwrites this one"


@dataclass(frozen=True, slots=True)
class Basis:
    """What the values of a sweep's trials rest on, each thing by its name with a digest of it.

    `space` is what is searched, and for what; `config` the sandbox config; `code` the components of each job, their versions
    and libraries, by job and types, which trials may choose; `data` the files that no job makes.
    """

    space: Mapping[str, str]
    config: str
    code: Mapping[str, Mapping[str, str]]
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
    jobs = [job for example in plan.sweep.examples for job in example]
    code, data = _code_and_data(jobs, plan.config, plan.config.work_dir, fingerprints)
    return Basis(_space(plan.sweep.config), config_digest(plan.config), code, data)


def refuse_changes(basis: Mapping[str, Any], plan: Plan, work_dir: Path) -> None:
    """ConfigChangedError where a trial, planned as `plan`, runs other code or reads other data than its sweep in `work_dir`.

    `basis` is what `Basis.to_fields` gave when the sweep began; what only some trials use is compared where this one does.
    """
    before = Basis.from_fields(basis)
    code, data = _code_and_data(plan.jobs, plan.config, work_dir, Fingerprints(Folders(work_dir).sweep_fingerprints))
    changed = [
        f"the code or the version of a component of {job_id}"
        for job_id, types in code.items()
        if any(before.code.get(job_id, {}).get(name, digest) != digest for name, digest in types.items())
    ]
    changed += [f"'{path}'" for path, digest in data.items() if before.data.get(path, digest) != digest]
    if changed:
        fix = "undo that and go on with --resume, or run it again: a new sweep"
        raise ConfigChangedError(f"{changed[0]} was changed while its sweep was running", fix=fix)


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


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def _space(sweep: SweepConfig) -> dict[str, str]:
    space: dict[str, Any] = {"method": sweep.method, "metric": sweep.metric.name, "goal": sweep.metric.goal}
    space |= {_parameter(one.name): [one.distribution, repr(dict(one.arguments))] for one in sweep.parameters}
    return {name: content_key({"": value}) for name, value in space.items()}


def _parameter(name: str) -> str:
    return f"the parameter '{name}'"


def _code_and_data(
    jobs: Sequence[PlannedJob], config: SandboxConfig, work_dir: Path, fingerprints: Fingerprints
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The digests of what `jobs`, perhaps those of several trials, are made of; see `Basis`."""
    written = {os.path.abspath(path) for job in jobs for path in job.writes}
    code: dict[str, dict[str, str]] = {}
    data: dict[str, str] = {}
    for job in jobs:
        types = ", ".join(one.type_name for one in (job.hook_origin, *job.origins))
        of_job = code.setdefault(job.job.id, {})
        if types not in of_job:
            of_job[types] = _code(job)
        for path in (*_data(job), *_blocks(job, config)):
            if path not in data and not _is_made(path, written) and not Folders(work_dir).lie_in(path):
                data[path] = fingerprints.of(path)
    return code, data


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


def _data(job: PlannedJob) -> Iterator[str]:
    for part in job.parts:
        if part.component is None or not part.is_whole:
            continue
        for use in path_uses(part.component.config):
            if use.kind == "input" and not part.block.defers(use.loc) and os.path.exists(use.value):
                yield use.value


def _blocks(job: PlannedJob, config: SandboxConfig) -> Iterator[str]:
    """Files that `local` names as whole blocks: they are no part of the config."""
    for value in job.job.local:
        found = find_file(value.value, config.folder) if not value.target.path and isinstance(value.value, str) else None
        if found is not None:
            yield str(found)


def _is_made(path: str, written: Set[str]) -> bool:
    """Whether jobs write `path`, what it lies in, or something in it."""
    place = os.path.abspath(path)
    return any(os.path.commonpath([place, one]) in (place, one) for one in written)
