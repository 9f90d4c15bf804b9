"""`InferModelHook`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from djsandbox.components.model_executor import BaseModelExecutor
from djsandbox.jobs.base import JobHook, JobInputs, Use


class InferModelHook(JobHook):
    """Let a model produce outputs for given inputs."""

    uses: ClassVar[tuple[Use, ...]] = (Use("model_infer_executors", "extra_configs", BaseModelExecutor),)

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Run the executor with its type as `run_type`; returns the outputs of its `_run`."""
        return asyncio.run(components[0].run(inputs.type_name))
