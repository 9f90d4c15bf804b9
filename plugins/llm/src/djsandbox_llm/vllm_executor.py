"""Inference with a model that vLLM runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from djsandbox import Finding, visible_gpus
from pydantic import Field

from djsandbox_llm.local_config import LocalConfig
from djsandbox_llm.local_executor import LocalInferExecutor

_PARALLEL = "tensor_parallel_size"


class VLLMConfig(LocalConfig):
    """Which model is run, and how."""

    batch_size: int = Field(default=256, ge=1, strict=True)
    """How many conversations vLLM is given at once; their answers are kept when all of them are there."""


class VLLMInferExecutor(LocalInferExecutor):
    """Inference with a language model that vLLM runs."""

    Config: ClassVar[type[VLLMConfig]] = VLLMConfig

    env = "llm-vllm"
    worker = "infer_vllm.py"
    workers = tuple(f"djsandbox_llm.workers.{name}" for name in ("infer_vllm", "loop", "answer_log"))

    def check(self) -> Iterable[Finding]:
        """More GPUs than there are, beside what is always checked."""
        yield from super().check()
        asked, there = self.config.model_params.get(_PARALLEL), len(visible_gpus())
        if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int) or asked < 1):
            yield Finding(("model_params", _PARALLEL), f"'{_PARALLEL}' is a number of GPUs, not {asked!r}")
        elif asked is not None and 0 < there < asked:
            yield Finding(
                ("model_params", _PARALLEL), f"the model wants {asked} GPUs, and there are {there}", f"{_PARALLEL}: {there}"
            )

    def gpus(self) -> int:
        """As many as the model is divided over: what the config says, else all."""
        return self.config.model_params.get(_PARALLEL) or max(1, len(visible_gpus()))
