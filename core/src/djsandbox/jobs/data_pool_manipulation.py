"""`DataPoolManipulationHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseDataPoolManipulator
from djsandbox.jobs.base import JobHook, JobInputs, Use


class DataPoolManipulationHook(JobHook):
    """Construct, combine, sample or merge data pools."""

    uses: ClassVar[tuple[Use, ...]] = (Use("data_pool_manipulators", "extra_configs", BaseDataPoolManipulator),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the manipulator; returns the paths of the new pools."""
        return components[0].run()
