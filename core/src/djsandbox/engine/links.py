"""Which earlier job a reference means, found before anything has run."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.components.deferred import DECIDED_AT_RUN, DecidedAtRun
from djsandbox.config.model import Job
from djsandbox.config.references import Reference
from djsandbox.context.nested import NotFoundError, value_at
from djsandbox.errors import did_you_mean

_UNNAMED = re.compile(r"res_\d+")


@dataclass(frozen=True, slots=True)
class Source:
    """A job before the one at hand, with what is known of its outputs (None: it gives none)."""

    job: Job
    outputs: Mapping[str, Any] | None

    def offers(self, key: str) -> bool:
        """True where the job will, or may, have an output of that name."""
        if self.outputs is None:
            return False
        if self.job.outputs is None and (self.job.is_broken or _UNNAMED.fullmatch(key)):
            return True
        return key in self.outputs

    def value(self, path: Sequence[str]) -> Any:
        """The output at `path` as far as it is known; LookupError(message, fix) where what is known has no such part."""
        output = (self.outputs or {}).get(path[0], DECIDED_AT_RUN)
        address = f"{self.job.pipeline}.{self.job.label}.{path[0]}"
        for end in range(1, len(path)):
            with contextlib.suppress(NotFoundError):
                around = value_at(output, path[1:end], address)
                if isinstance(around, DecidedAtRun):
                    return _part(around, path[end:], ".".join((address, *path[1:end])))
        try:
            return value_at(output, path[1:], address)
        except NotFoundError as error:
            raise LookupError(error.what, error.fix) from error


def _part(around: DecidedAtRun, rest: Sequence[str], address: str) -> DecidedAtRun:
    found = around.part(len(rest))
    if found is None:
        what = f"'{address}' is {around.kind or 'a number'} and has no part '{rest[0]}'"
        raise LookupError(what, f"refer to '{address}' itself")
    return found


def find_source(reference: Reference, earlier: Sequence[Source], all_jobs: Sequence[Job]) -> Source:
    """The job that `reference` means; LookupError(message, fix) when there is none, or more than one."""
    return _last(reference, earlier) if reference.is_last else _named(reference, earlier, all_jobs)


def _last(reference: Reference, earlier: Sequence[Source]) -> Source:
    for source in reversed(earlier):
        if source.outputs is None:
            continue
        if source.offers(reference.key):
            return source
        raise LookupError(
            f"'{reference.text}': the job before, {source.job.id} ({source.job.label}), has no output '{reference.key}'",
            did_you_mean(reference.key, _names(source)),
        )
    raise LookupError(f"'{reference.text}': no job with outputs runs before this one")


def _named(reference: Reference, earlier: Sequence[Source], all_jobs: Sequence[Job]) -> Source:
    pipelines = {job.pipeline for job in all_jobs}
    if reference.pipeline not in pipelines:
        raise LookupError(f"there is no pipeline '{reference.pipeline}'", did_you_mean(str(reference.pipeline), pipelines))
    inside = [job for job in all_jobs if job.pipeline == reference.pipeline]
    same_name = [job for job in inside if job.meta_name == reference.meta_name]
    if not same_name:
        names = {job.meta_name for job in inside if job.meta_name}
        raise LookupError(
            f"no job in pipeline '{reference.pipeline}' has the meta_name '{reference.meta_name}'",
            did_you_mean(str(reference.meta_name), names),
        )
    sources = [source for source in earlier if source.job in same_name]
    if not sources:
        raise LookupError(
            f"'{reference.text}': {same_name[0].id} does not run before this job", "move that job up, or this one down"
        )
    offering = [source for source in sources if source.offers(reference.key)]
    if not offering:
        names = {name for source in sources for name in _names(source)}
        raise LookupError(
            f"'{reference.text}': {' and '.join(source.job.id for source in sources)} has no output '{reference.key}'",
            did_you_mean(reference.key, names),
        )
    if len(offering) > 1:
        raise LookupError(
            f"'{reference.text}' means two jobs, {' and '.join(source.job.id for source in offering)}",
            "give the jobs different meta_names, or their outputs different names",
        )
    return offering[0]


def _names(source: Source) -> list[str]:
    return sorted(source.job.outputs or ("res_0",)) if source.outputs is not None else []
