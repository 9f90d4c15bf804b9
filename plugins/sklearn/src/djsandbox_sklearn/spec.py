"""The plain data that components are configured with; importing it imports nothing heavy."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Metric = Literal["accuracy", "macro_f1", "log_loss"]
METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "log_loss")
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"log_loss"})


class FeatureSpec(BaseModel):
    """How a text becomes a vector: scikit-learn's HashingVectorizer, which learns nothing from data.

    Rows are L2-normalised counts of word or character n-grams.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_features: int = Field(default=2**16, ge=2, le=2**30)
    ngram_range: tuple[int, int] = (1, 1)
    analyzer: Literal["word", "char", "char_wb"] = "word"

    @field_validator("ngram_range")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError(f"must be [shortest, longest] with 1 <= shortest <= longest, not {list(value)}")
        return value


class Manifest(BaseModel):
    """What a model is, for people and programs; `name` is that of the data it was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = "djsandbox-sklearn linear text classifier"
    version: int = 1
    name: str
    text_key: str
    label_key: str
    features: FeatureSpec
    labels: list[str]
    seeds: list[int]
    num_train_samples: int
    training: dict[str, Any] = {}
