"""Inference with a model of Hugging Face's transformers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from djsandbox_llm.local_config import LocalConfig
from djsandbox_llm.local_executor import LocalInferExecutor


class HuggingFaceConfig(LocalConfig):
    """Which model is run, and how."""

    seed: int | None = Field(default=None, ge=0, strict=True)
    """Where answers are sampled (`do_sample: true`): the same seed gives the same answer to the same row."""


class HuggingFaceInferExecutor(LocalInferExecutor):
    """Inference with a language model of Hugging Face's transformers."""

    Config: ClassVar[type[HuggingFaceConfig]] = HuggingFaceConfig

    env = "llm-huggingface"
    worker = "infer_huggingface.py"
    workers = tuple(f"djsandbox_llm.workers.{name}" for name in ("infer_huggingface", "loop", "answer_log"))

    def _setting(self) -> dict[str, object]:
        return {**super()._setting(), "seed": self.config.seed}
