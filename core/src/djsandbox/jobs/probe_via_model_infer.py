"""`ProbeViaModelInferHook`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from djsandbox.components.model_executor import BaseModelExecutor
from djsandbox.components.roles import BaseDataExecutor
from djsandbox.errors import ComponentError
from djsandbox.jobs.base import JobHook, JobInputs, Use
from djsandbox.jobs.results import watch_result
from djsandbox.jobs.sample_results import record, summary


class ProbeViaModelInferHook(JobHook):
    """See how a model fares on a sample of the data: which rows are hard, which are dirty."""

    uses: ClassVar[tuple[Use, ...]] = (
        Use("data_executors", "dj_configs", BaseDataExecutor, writes=False),
        Use("model_infer_evaluators", "extra_configs", BaseModelExecutor),
    )

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Sample as `data_probe_ratio` and `data_probe_algo` of dj_configs say, then infer.

        A list that the evaluator returns is one result a sample: the samples are written to a file in the job's folder, each
        with its result under `model_feedback`; the watcher gets the distribution of each number; the file is the job's output.
        Any other result is the job's output itself, such as the path of a file that the evaluator wrote.
        """
        executor, evaluator = components
        ratio = float(inputs.dj_configs.get("data_probe_ratio", 1.0))
        sampled = executor.sample_data(ratio, str(inputs.dj_configs.get("data_probe_algo", "uniform")))
        if not len(sampled):
            raise ComponentError("the sample of the data has no rows", fix="give a larger data_probe_ratio, or other data")
        result = asyncio.run(evaluator.run("infer_on_data", sampled))
        if isinstance(result, list):
            return self._recorded(sampled, result, inputs)
        if not isinstance(result, (str, os.PathLike)):
            watch_result(inputs.context.watcher, result)
        return result

    @staticmethod
    def _recorded(sampled: Sequence[Mapping[str, Any]], results: Sequence[Any], inputs: JobInputs) -> str:
        if len(results) != len(sampled):
            raise ComponentError(
                f"the evaluator '{inputs.type_name}' returned {len(results)} results for {len(sampled)} samples",
                fix="it must return one result for each sample, in their order (or write a file and return its path)",
            )
        path = record(sampled, results, inputs.context.work_dir)
        numbers = summary(results)
        if numbers:
            inputs.context.watcher.watch(numbers)
        return str(path)
