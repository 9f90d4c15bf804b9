"""context_infos: what the finished jobs of one iteration produced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from djsandbox.context.nested import NotFoundError, splits, value_at
from djsandbox.errors import SandboxError, did_you_mean

META_NAME = "meta_name"


@dataclass(frozen=True, slots=True)
class _Job:
    job_id: str
    meta_name: str
    outputs: Mapping[str, Any]


class ContextInfos:
    """The outputs of finished jobs, addressed by pipeline, meta_name and key, or as the last job's that has any.

    Several jobs of a pipeline may share a meta_name as long as an address fits one of them only. What is looked up and not
    there is a SandboxError that names what is.
    """

    def __init__(self) -> None:
        self._pipelines: dict[str, list[_Job]] = {}
        self._last: _Job | None = None

    def begin_pipeline(self, name: str) -> None:
        """Make `name` appear in the context before its first job has finished."""
        self._pipelines.setdefault(name, [])

    def record(self, pipeline: str, job_id: str, meta_name: str, outputs: Mapping[str, Any]) -> None:
        """Take in the outputs of a finished job. Raises SandboxError for an output called `meta_name`."""
        if META_NAME in outputs:
            raise SandboxError(
                f"job {job_id} names an output '{META_NAME}', which is taken", fix="give it another name in `output`"
            )
        job = _Job(job_id, meta_name, dict(outputs))
        self._pipelines.setdefault(pipeline, []).append(job)
        if job.outputs:
            self._last = job

    def lookup(self, pipeline: str, meta_name: str, path: Sequence[str]) -> Any:
        """The value that `pipeline.meta_name.path` refers to."""
        if pipeline not in self._pipelines:
            raise SandboxError(f"no job of a pipeline '{pipeline}' has run yet", fix=did_you_mean(pipeline, self._pipelines))
        jobs = [job for job in self._pipelines[pipeline] if job.meta_name == meta_name]
        if not jobs:
            known = {job.meta_name for job in self._pipelines[pipeline] if job.meta_name}
            message = f"no job '{meta_name}' of the pipeline '{pipeline}' has finished"
            raise SandboxError(message, fix=did_you_mean(meta_name, known))
        return _resolve(jobs, path, f"{pipeline}.{meta_name}")

    def last(self, path: Sequence[str]) -> Any:
        """The value that `-1.path` refers to: of the job recorded last among those that have outputs."""
        if self._last is None:
            raise SandboxError("no job before this one has outputs", fix="write pipeline.meta_name.key instead of -1.key")
        return _resolve([self._last], path, "-1")

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Pipeline -> its finished jobs in order, each a mapping of its `meta_name` and its outputs."""
        return {
            pipeline: [{META_NAME: job.meta_name, **job.outputs} for job in jobs] for pipeline, jobs in self._pipelines.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Iterable[Mapping[str, Any]]]) -> Self:
        """The context that `to_dict` gave; its jobs are known by pipeline and position."""
        infos = cls()
        for pipeline, jobs in data.items():
            infos.begin_pipeline(pipeline)
            for index, job in enumerate(jobs):
                outputs = {key: value for key, value in job.items() if key != META_NAME}
                infos.record(pipeline, f"{pipeline}[{index}]", str(job.get(META_NAME, "")), outputs)
        return infos


def _resolve(jobs: Sequence[_Job], path: Sequence[str], address: str) -> Any:
    """The value at `path` in the one of `jobs` that has it; keys may contain dots, the longest that fits is meant."""
    missing: NotFoundError | None = None
    for key, rest in splits(path):
        holders = [job for job in jobs if key in job.outputs]
        if len(holders) > 1:
            message = f"'{address}.{key}' is an output of more than one job: {', '.join(job.job_id for job in holders)}"
            raise SandboxError(message, fix="give one of them another meta_name, or their outputs different names")
        if holders:
            try:
                return value_at(holders[0].outputs[key], rest, f"{address}.{key}")
            except NotFoundError as error:
                missing = missing or error
    if missing is not None:
        raise SandboxError(missing.what, fix=missing.fix)
    known = sorted({key for job in jobs for key in job.outputs})
    who = " or ".join(job.job_id for job in jobs)
    wanted = f"no output '{path[0]}'" if path else "to be followed by the name of an output"
    message = f"'{address}' ({who}) has {wanted}"
    raise SandboxError(message, fix=did_you_mean(path[0] if path else "", known))
