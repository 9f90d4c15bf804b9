"""What the plan of a sweep adds to that of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.components.sweeper import Sweeper
from djsandbox.config.model import LocalValue, SandboxConfig
from djsandbox.config.sweep import SweepConfig
from djsandbox.engine.planned import PlannedJob
from djsandbox.engine.sweeps.objective import Objective
from djsandbox.engine.sweeps.targets import Targets, with_values


@dataclass(frozen=True, slots=True)
class PlannedSweep:
    """A sweep with the places its parameters set, the metric it optimizes, and who chooses its trials."""

    config: SweepConfig
    targets: Targets
    objective: Objective
    sweeper: Sweeper
    examples: tuple[Sequence[PlannedJob], ...]
    """The jobs of trials whose values stand for all."""

    def values_of(self, values: Mapping[str, Any]) -> dict[str, list[LocalValue]]:
        """What the trial with these values puts into each job, by its id."""
        return self.targets.values_of(values, self.config.parameters)

    def applied(self, config: SandboxConfig, values: Mapping[str, Any]) -> SandboxConfig:
        """`config` as the trial with these values runs it."""
        return with_values(config, self.values_of(values))
