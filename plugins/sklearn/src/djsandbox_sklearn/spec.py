"""The plain data that components, their workers and models are described with; importing it imports nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from djsandbox.errors import ComponentError, Position
from pydantic import BaseModel, ConfigDict, Field, field_validator

Metric = Literal["accuracy", "macro_f1", "log_loss"]
METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "log_loss")
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"log_loss"})
TRAINING_KEYS = ("epochs", "batch_size", "alpha", "learning_rate", "bootstrap")
"""The settings of a training, as its manifest records them."""
MANIFEST = "manifest.json"


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


class TrainingOrder(BaseModel):
    """What a worker needs to know to train one model; its training settings are those of the trainer's config."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    pool: str
    folder: str
    scratch: str
    text_key: str
    label_key: str
    features: FeatureSpec
    seeds: list[int]
    epochs: int
    batch_size: int
    alpha: float
    learning_rate: float | None
    bootstrap: bool


def read_manifest(folder: str) -> Manifest:
    """The manifest in a model's folder; ComponentError where it is not one of ours, or of another release."""
    path = Path(folder) / MANIFEST
    try:
        manifest = Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ComponentError(
            f"'{folder}' is not a model folder of sklearn_text_classifier: {error.strerror} ({error.filename})",
            fix="give the folder that the sklearn_text_classifier trainer returned",
        ) from error
    except ValueError as error:  # no JSON, or no manifest
        raise ComponentError(f"the model cannot be read: {error}", where=Position(str(path))) from error
    if (manifest.format, manifest.version) != _READABLE:
        raise ComponentError(
            f"the model has the format '{manifest.format}' version {manifest.version}, this release reads version 1",
            where=Position(str(path)),
            fix="train it again with the installed release",
        )
    return manifest


_READABLE = (Manifest.model_fields["format"].default, 1)
