"""`ProcessDataHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseDataExecutor
from djsandbox.jobs.base import JobHook, JobInputs, Use


class ProcessDataHook(JobHook):
    """Process a dataset with a data recipe."""

    uses: ClassVar[tuple[Use, ...]] = (Use("data_executors", "dj_configs", BaseDataExecutor),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the executor; returns the path of the processed dataset."""
        return components[0].run()
