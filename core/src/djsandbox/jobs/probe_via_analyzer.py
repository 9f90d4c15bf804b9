"""`ProbeViaAnalyzerHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseDataExecutor
from djsandbox.jobs.base import JobHook, JobInputs, Use


class ProbeViaAnalyzerHook(JobHook):
    """Analyse a dataset: the distribution of the statistics that a recipe's operators compute."""

    uses: ClassVar[tuple[Use, ...]] = (Use("data_analyzers", "dj_configs", BaseDataExecutor),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the analyzer, which hands its statistics to the watcher; returns the path of the analysed dataset."""
        return components[0].run()
