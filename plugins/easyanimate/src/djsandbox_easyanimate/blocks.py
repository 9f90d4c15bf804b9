"""What the blocks of the configs of training and inference have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from djsandbox import ComponentConfig, ReferencePath
from pydantic import BeforeValidator, Field, model_validator

_PRECISIONS = ("no", "fp16", "bf16")


def _precision(value: Any) -> Any:
    value = "no" if value is False else value  # YAML reads `no` as false
    if value not in _PRECISIONS:
        raise ValueError(f"the precision is one of {', '.join(_PRECISIONS)}, not {value!r}")
    return value


Precision = Annotated[Literal["no", "fp16", "bf16"], BeforeValidator(_precision)]
"""Of the numbers while computing; `no` is 32 bits."""

Positive = Annotated[int, Field(ge=1)]


class Block(ComponentConfig):
    """A block inside `train:`; a key without a value is as good as none."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class ModelPath(Block):
    """The models that training and inference begin with."""

    pretrained_model_name_or_path: str
    """The base model: a folder (relative to EasyAnimate's own), or a name on the hub."""
    transformer_path: ReferencePath | None = None
    """Weights of the transformer to put over those of the base model; version `legacy` needs them."""
    vae_path: ReferencePath | None = None
    """Weights of the autoencoder to put over those of the base model. Version `current` only."""
