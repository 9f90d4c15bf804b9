"""The hyper-parameters of InternVL's fine-tuning, and the arguments they become."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from djsandbox import ComponentConfig
from pydantic import Field, StrictBool


class Hyperparameters(ComponentConfig):
    """All that the official LoRA script for COCO captions sets, with its values; what it does not set is None by default."""

    num_train_epochs: float = Field(default=1, gt=0)
    """Passes over the data."""
    learning_rate: float = Field(default=4e-5, gt=0)
    """The highest of the schedule."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's."""
    warmup_ratio: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    lr_scheduler_type: str = "cosine"
    """Schedule of the learning rate: `cosine`, `linear`, `constant`, ..."""
    use_llm_lora: int = Field(default=128, ge=0)
    """Rank of LoRA in the language model; 0 for none."""
    use_backbone_lora: int | None = Field(default=None, ge=0)
    """Rank of LoRA in the vision model; none by default."""
    freeze_llm: StrictBool = True
    """Whether the language model itself stays as it is."""
    freeze_mlp: StrictBool = True
    """Whether the projector stays as it is."""
    freeze_backbone: StrictBool = True
    """Whether the vision model itself stays as it is."""
    unfreeze_vit_layers: int | None = None
    """Layers of the vision model that are trained nevertheless, from this one on."""
    unfreeze_lm_head: StrictBool | None = None
    """Whether the head of the language model is trained."""
    force_image_size: int = Field(default=448, gt=0)
    """Side of a tile, in pixels."""
    dynamic_image_size: StrictBool = True
    """Whether an image becomes several tiles."""
    min_dynamic_patch: int | None = Field(default=None, ge=1)
    """The fewest tiles of an image; 1 by default."""
    max_dynamic_patch: int = Field(default=6, ge=1)
    """The most tiles of an image; a meta file may say otherwise for its data set."""
    use_thumbnail: StrictBool = True
    """Whether the whole image is added as one more tile."""
    pad2square: StrictBool | None = None
    """Whether images are padded to squares."""
    normalize_type: Literal["imagenet", "clip", "siglip"] | None = None
    """How pixels are normalised; `imagenet` by default."""
    down_sample_ratio: float = Field(default=0.5, gt=0, le=1)
    """Of the pixel shuffle; must be that of the model."""
    ps_version: Literal["v1", "v2"] = "v2"
    """Version of the pixel shuffle."""
    drop_path_rate: float = Field(default=0.0, ge=0, lt=1)
    """Stochastic depth of the vision model."""
    vision_select_layer: int = -1
    """The layer of the vision model whose output is used."""
    max_seq_length: int = Field(default=4096, gt=0)
    """Longest sequence, in tokens."""
    group_by_length: StrictBool = True
    """Whether samples of similar length make a batch."""
    use_data_resampling: StrictBool | None = None
    """Whether the data sets of a meta file are drawn by the square root of their sizes."""
    dataloader_num_workers: int = Field(default=4, ge=0)
    """Processes that load data, for each GPU."""
    bf16: StrictBool = True
    """Whether it computes in bfloat16."""
    grad_checkpoint: StrictBool = True
    """Whether activations are computed again instead of kept."""
    deepspeed: str | None = "zero_stage1_config.json"
    """DeepSpeed's config, relative to `internvl_chat`; null: without DeepSpeed."""
    save_strategy: Literal["no", "steps", "epoch"] = "steps"
    """When checkpoints are kept on the way; the model is written at the end in any case."""
    save_steps: int = Field(default=200, ge=1)
    """Steps from one checkpoint to the next."""
    save_total_limit: int = Field(default=1, ge=1)
    """How many checkpoints are kept."""
    logging_steps: int = Field(default=1, ge=1)
    """Steps from one line with the loss to the next."""
    logging_nan_inf_filter: StrictBool = False
    """Whether a loss that is nan is hidden in logs, as transformers does by default: the official script hides it."""
    report_to: str = "tensorboard"
    """Where the trainer itself reports to; `none` for nowhere."""
    seed: int | None = None
    """Seed of the training; 42 by default."""
    extra_args: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further arguments of the training script, name -> value."""


def arguments_of(parameters: Hyperparameters) -> Iterator[str]:
    """The arguments that say `parameters`, in the order of the fields."""
    for name in Hyperparameters.model_fields:
        value = getattr(parameters, name)
        if name != "extra_args" and value is not None:
            yield from (f"--{name}", as_argument(value))
    for name, value in parameters.extra_args.items():
        yield from (f"--{name.lstrip('-')}", as_argument(value))


def as_argument(value: object) -> str:
    """A value as transformers' argument parser reads it: `True`, `4e-05`, `cosine`."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
