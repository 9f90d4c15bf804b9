"""`ProbeViaModelInferHook`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.model_executor import BaseModelExecutor
from djsandbox.components.roles import BaseDataExecutor
from djsandbox.jobs.base import JobHook, JobInputs, Use
from djsandbox.jobs.results import watch_result


class ProbeViaModelInferHook(JobHook):
    """See how a model fares on a sample of the data: which rows are hard, which are dirty."""

    uses: ClassVar[tuple[Use, ...]] = (
        Use("data_executors", "dj_configs", BaseDataExecutor),
        Use("model_infer_evaluators", "extra_configs", BaseModelExecutor),
    )

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Sample as `data_probe_ratio` and `data_probe_algo` of dj_configs say, infer; returns the per-sample results."""
        executor, evaluator = components
        ratio = float(inputs.dj_configs.get("data_probe_ratio", 1.0))
        sampled = executor.sample_data(ratio, str(inputs.dj_configs.get("data_probe_algo", "uniform")))
        result = asyncio.run(evaluator.run("infer_on_data", sampled))
        watch_result(inputs.context.watcher, result)
        return result
