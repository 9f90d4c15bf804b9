"""Inference with a model of Hugging Face's transformers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from djsandbox import Finding
from pydantic import Field

from djsandbox_llm.checks import template_findings
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

    def check(self) -> Iterable[Finding]:
        """A model without a chat template, beside what is always checked."""
        yield from super().check()
        config = self.config
        is_open = bool(config.model_params.get("trust_remote_code"))
        yield from template_findings(config.model, has_template=config.chat_template is not None, is_open=is_open)

    def _setting(self) -> dict[str, object]:
        return {**super()._setting(), "seed": self.config.seed}
