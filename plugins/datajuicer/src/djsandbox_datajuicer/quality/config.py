"""The config of the quality classifier."""

from __future__ import annotations

from typing import ClassVar

from djsandbox import CommandConfig, EnvConfig, InputPath
from pydantic import Field


class QualityConfig(EnvConfig, CommandConfig):
    """Which texts are scored by which model."""

    dataset_path: InputPath
    """The dataset: JSON lines (.jsonl, .json) or Parquet (.parquet)."""
    text_key: str = Field(default="text", min_length=1)
    """Column of the texts."""
    model: str = Field(default="gpt3", min_length=1)
    """`gpt3` (English), `chinese` or `code`, which are downloaded, or the folder of a model that the training tool wrote."""
    tokenizer: str | None = None
    """A SentencePiece model, where your own model was trained with one: its file, or `zh.sp.model`, `code.sp.model`."""
    driver_memory: str = Field(default="4g", pattern=r"^[1-9]\d*[kmgt]$")
    """Memory that Spark may use at most, as `512m` or `16g`."""
    num_cores: int | None = Field(default=None, ge=1)
    """Cores that Spark uses; by default all."""

    outside_key: ClassVar[frozenset[str]] = frozenset({"driver_memory", "num_cores"})
