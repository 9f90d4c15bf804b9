"""`EvaluateDataHook`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.roles import BaseEvaluator
from djsandbox.jobs.base import JobHook, JobInputs, Use
from djsandbox.jobs.results import watch_result


class EvaluateDataHook(JobHook):
    """Evaluate a dataset."""

    uses: ClassVar[tuple[Use, ...]] = (Use("data_evaluators", "extra_configs", BaseEvaluator),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Evaluate; the result goes to the watcher under the job's meta_name and is the job's output."""
        result = components[0].run("data")
        watch_result(inputs.context.watcher, result)
        return result
