"""`GeneralProbeHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseProbe
from djsandbox.jobs.base import JobHook, JobInputs, Use


class GeneralProbeHook(JobHook):
    """Probe datasets or models in general, such as ranking data pools."""

    uses: ClassVar[tuple[Use, ...]] = (Use("general_probes", "extra_configs", BaseProbe),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the probe; returns what it saw."""
        return components[0].run()
