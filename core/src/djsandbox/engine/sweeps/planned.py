"""What the plan of a sweep adds to that of its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from djsandbox.components.sweeper import Sweeper
from djsandbox.config.model import SandboxConfig
from djsandbox.config.sweep import SweepConfig
from djsandbox.engine.sweeps.objective import Objective
from djsandbox.engine.sweeps.targets import Targets


@dataclass(frozen=True, slots=True)
class PlannedSweep:
    """A sweep with the places its parameters set, the metric it optimizes, and who chooses its trials."""

    config: SweepConfig
    targets: Targets
    objective: Objective
    sweeper: Sweeper

    def applied(self, config: SandboxConfig, values: Mapping[str, Any]) -> SandboxConfig:
        """`config` as the trial with these values runs it."""
        return self.targets.applied(config, values, self.config.parameters)
