"""The context of one iteration: what each finished job produced, in the guide's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from djsandbox.errors import SandboxError, did_you_mean

META_NAME = "meta_name"


@dataclass(frozen=True, slots=True)
class JobInfos:
    """The outputs of one finished job, by name."""

    job_id: str
    meta_name: str
    outputs: Mapping[str, Any]


@dataclass(slots=True)
class ContextInfos:
    """What the jobs of one iteration have produced so far, by pipeline and in the order in which they finished."""

    _pipelines: dict[str, list[JobInfos]] = field(default_factory=dict)
    _last: JobInfos | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ContextInfos:
        """The context that `to_dict` gave; job ids are numbered, as the guide's shape has none."""
        infos = cls()
        for pipeline, jobs in data.items():
            infos.begin_pipeline(pipeline)
            for at, job in enumerate(jobs):
                outputs = {key: value for key, value in job.items() if key != META_NAME}
                infos.record(pipeline, f"{pipeline}/{at}", job[META_NAME], outputs)
        return infos

    def begin_pipeline(self, name: str) -> None:
        """Let the pipeline appear even before a job of it has finished."""
        self._pipelines.setdefault(name, [])

    def record(self, pipeline: str, job_id: str, meta_name: str, outputs: Mapping[str, Any]) -> None:
        """Add the outputs of a finished job. ValueError where one is named `meta_name`."""
        if META_NAME in outputs:
            raise ValueError(f"{job_id}: an output cannot be named '{META_NAME}'")
        infos = JobInfos(job_id, meta_name, dict(outputs))
        self._pipelines.setdefault(pipeline, []).append(infos)
        if outputs:
            self._last = infos

    def lookup(self, pipeline: str, meta_name: str, path: Sequence[str]) -> Any:
        """The output at `path` of the job `meta_name`; SandboxError, naming what there is, where there is none or two."""
        if pipeline not in self._pipelines:
            raise SandboxError(f"there is no pipeline '{pipeline}' in the context", fix=did_you_mean(pipeline, self._pipelines))
        named = [job for job in self._pipelines[pipeline] if job.meta_name == meta_name]
        if not named:
            names = {job.meta_name for job in self._pipelines[pipeline]}
            raise SandboxError(
                f"no finished job of pipeline '{pipeline}' has the meta_name '{meta_name}'", fix=did_you_mean(meta_name, names)
            )
        found = [job for job in named if _key_of(job.outputs, path) is not None]
        if len(found) > 1:
            ids = " and ".join(job.job_id for job in found)
            raise SandboxError(
                f"'{pipeline}.{meta_name}.{'.'.join(path)}' means two jobs, {ids}", fix="give one of them another meta_name"
            )
        return _value((found or named)[0], path)

    def last(self, path: Sequence[str]) -> Any:
        """The output at `path` of the last job that has outputs; SandboxError where there is none."""
        if self._last is None:
            raise SandboxError(f"'-1.{'.'.join(path)}': no job has produced anything yet")
        return _value(self._last, path)

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Pipeline -> a list of `{"meta_name": ..., output: value, ...}`, one for each finished job."""
        return {name: [{META_NAME: job.meta_name, **job.outputs} for job in jobs] for name, jobs in self._pipelines.items()}


def _value(job: JobInfos, path: Sequence[str]) -> Any:
    value: Any = job.outputs
    rest = list(path)
    while rest:
        if isinstance(value, Mapping):
            key = _key_of(value, rest)
            if key is None:
                raise _missing(job, path, rest[0], [str(name) for name in value])
            value, rest = value[key], rest[key.count(".") + 1 :]
        elif isinstance(value, list) and rest[0].isdigit() and int(rest[0]) < len(value):
            value, rest = value[int(rest[0])], rest[1:]
        else:
            choices = [str(at) for at in range(len(value))] if isinstance(value, list) else []
            raise _missing(job, path, rest[0], choices)
    return value


def _key_of(mapping: Mapping[str, Any], path: Sequence[str]) -> str | None:
    """The key that the beginning of `path` spells; names may hold dots, so the longest match counts."""
    candidates = (".".join(path[:size]) for size in range(len(path), 0, -1))
    return next((key for key in candidates if key in mapping), None)


def _missing(job: JobInfos, path: Sequence[str], step: str, choices: Sequence[str]) -> SandboxError:
    return SandboxError(f"{job.job_id} has no '{'.'.join(path)}': there is no '{step}'", fix=did_you_mean(step, choices))
