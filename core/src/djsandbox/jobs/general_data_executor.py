"""`GeneralDataExecutorHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseDataExecutor
from djsandbox.jobs.base import JobHook, JobInputs, Use


class GeneralDataExecutorHook(JobHook):
    """Run any other executor on data, such as a format conversion."""

    uses: ClassVar[tuple[Use, ...]] = (Use("general_data_executors", "extra_configs", BaseDataExecutor),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the executor; returns the path or paths it wrote."""
        return components[0].run()
