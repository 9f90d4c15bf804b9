"""What a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from djsandbox.config.model import Job, SandboxConfig
from djsandbox.engine.parts import PlannedPart
from djsandbox.engine.resolve import ResolvedBlock
from djsandbox.errors import Problem
from djsandbox.jobs.base import JobHook
from djsandbox.plugins.resolve import Resolved

if TYPE_CHECKING:
    from djsandbox.engine.sweeps.planned import PlannedSweep


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job with all that can be known of it before it runs."""

    job: Job
    hook: JobHook
    hook_origin: Resolved
    parts: tuple[PlannedPart, ...]
    dj_configs: ResolvedBlock
    extra_configs: ResolvedBlock
    reads: frozenset[str]
    """Ids of the earlier jobs that this one reads from, by reference or by path."""

    outputs: Mapping[str, Any] | None
    """Named outputs as far as they are known; None where the job will give none."""

    writes: tuple[str, ...]
    """Paths the job will write, as the config spells them."""

    @property
    def origins(self) -> tuple[Resolved, ...]:
        """Where the components come from, as far as their types are known."""
        return tuple(part.origin for part in self.parts if part.origin is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """All jobs of a config in the order in which they run, and what is doubtful about them.

    In a `sweep` the jobs are those of a trial with a first example of the values.
    """

    config: SandboxConfig
    jobs: tuple[PlannedJob, ...]
    warnings: tuple[Problem, ...] = ()
    sweep: PlannedSweep | None = None

    def jobs_of(self, pipeline: str) -> tuple[PlannedJob, ...]:
        """The jobs of one pipeline, in order."""
        return tuple(planned for planned in self.jobs if planned.job.pipeline == pipeline)
