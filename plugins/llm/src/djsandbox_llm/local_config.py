"""What the configs of the two executors have that run a model themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from djsandbox import CommandConfig, EnvConfig, InputPath
from pydantic import Field

from djsandbox_llm.config import InferConfig


class LocalConfig(InferConfig, EnvConfig, CommandConfig):
    """Which model is run, and how."""

    model: str = Field(min_length=1)
    """Name of a model of the Hugging Face hub, or path of its folder; `model` by an earlier job: see `input`."""
    model_params: dict[str, Any] = Field(default_factory=dict)
    """Further arguments with which the model is loaded (`dtype`, `trust_remote_code`, ...)."""
    chat_template: InputPath | None = None
    """File with a chat template in Jinja, for a model that has none."""
    batch_size: int = Field(default=1, ge=1, strict=True)
    """How many conversations the model is given at once."""

    outside_key: ClassVar[frozenset[str]] = frozenset()
