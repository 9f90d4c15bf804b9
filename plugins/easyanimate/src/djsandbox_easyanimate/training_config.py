"""The blocks of a training's config: the keys of the existing sandbox, and those that the current version has beside them."""

from __future__ import annotations

from typing import Annotated, Literal

from djsandbox import InputPaths, OutputPath, ReferencePath
from pydantic import Field

from djsandbox_easyanimate.blocks import Block, ModelPath, Positive, Precision

AboveZero = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class TrackerConfig(Block):
    """What the training is called on Weights & Biases."""

    project_name: str = "djsandbox"
    """The project."""
    experiment_name: str = "easyanimate"
    """The run. Version `legacy` only."""


class DatasetPath(Block):
    """The videos."""

    dataset_name: ReferencePath | None = None
    """Folder that relative paths of videos begin at; empty where they are absolute."""
    dataset_meta_name: InputPaths = Field(min_length=1)
    """The videos and their captions, as `dj_to_easyanimate_video_dataset_conversion` writes them; of several, a model each."""


class TrainingConfig(Block):
    """How it is trained. The defaults of version `current` are those of its own scripts/train_lora.sh."""

    sample_size: Positive | None = None
    """Height and width in pixels, 256 unless set; the pretrained weights must be of the same. Version `legacy` only."""
    mixed_precision: Precision = "bf16"
    """`no`, `fp16` or `bf16`."""
    batch_size_per_gpu: Positive = 1
    """Videos in a batch on each GPU."""
    gradient_accumulation_steps: Positive = 1
    """Batches for one step of the optimizer."""
    num_train_epochs: Positive = 1
    """Passes over the dataset."""
    dataloader_num_workers: Annotated[int, Field(ge=0)] = 8
    """Processes that read videos."""
    seed: int = 42
    """Seed of the weights and of the order of the videos."""
    gpu_num: Positive | None = None
    """GPUs it trains on; by default all that are visible, as in the existing sandbox. The number changes the result."""

    config_path: str = "config/easyanimate_video_v5.1_magvit_qwen.yaml"
    """EasyAnimate's config file of the model's generation, relative to EasyAnimate's folder."""
    image_sample_size: Positive = 1024
    """Size of images, in pixels."""
    video_sample_size: Positive = 256
    """Size of videos, in pixels."""
    token_sample_size: Positive = 512
    """Size that the number of tokens is made for, in pixels."""
    video_sample_stride: Positive = 3
    """Every how manyth frame is taken."""
    video_sample_n_frames: Positive = 49
    """Frames of a video that are trained on."""
    video_repeat: Positive = 1
    """How often each video is in the dataset."""
    learning_rate: AboveZero = 1e-4
    """Step size of the optimizer."""
    lr_scheduler: str = "constant"
    """How the learning rate goes on."""
    lr_warmup_steps: Annotated[int, Field(ge=0)] = 500
    """Steps in which the learning rate rises, where the scheduler has such."""
    max_train_steps: Positive | None = None
    """Steps after which it ends, whatever the epochs."""
    checkpointing_steps: Positive = 100
    """Steps between checkpoints; there is one at the end in any case."""
    rank: Positive = 128
    """Rank of the LoRA."""
    network_alpha: Positive = 64
    """Alpha of the LoRA."""
    loss_type: Literal["flow", "ddpm", "sigma"] | None = None
    """The loss; by default what the generation in `config_path` is trained with: v5.1 flow, v4 and v5 ddpm, v1 to v3 sigma."""
    train_mode: Literal["normal", "inpaint"] = "normal"
    """`inpaint` for base models whose names end with InP."""
    adam_weight_decay: NotNegative = 5e-2
    """Weight decay."""
    adam_epsilon: AboveZero = 1e-10
    """Epsilon of Adam."""
    max_grad_norm: AboveZero = 0.05
    """Longer gradients are cut to this."""
    vae_mini_batch: Positive = 1
    """Frames that the autoencoder takes at once."""
    gradient_checkpointing: bool = True
    """Compute activations anew instead of keeping them: slower, with less memory."""
    low_vram: bool = True
    """Keep text encoder and autoencoder on the CPU while they are not used."""
    enable_bucket: bool = True
    """Keep the aspect ratios of videos."""
    uniform_sampling: bool = True
    """Draw time steps evenly."""
    random_hw_adapt: bool = True
    """Vary height and width."""
    training_with_video_token_length: bool = True
    """Choose frames and size together, so that the number of tokens stays."""
    use_deepspeed: bool = False
    """Train with DeepSpeed's ZeRO stage 2 (config/zero_stage2_config.json)."""
    report_to: str = "tensorboard"
    """Who else is told of metrics: tensorboard, wandb, comet_ml or all."""
    extra_arguments: list[str] = Field(default_factory=list)
    """Further arguments for scripts/train_lora.py, one item each."""


LEGACY_ONLY = frozenset({"sample_size"})
BOTH = frozenset(
    [
        "mixed_precision",
        "batch_size_per_gpu",
        "gradient_accumulation_steps",
        "num_train_epochs",
        "dataloader_num_workers",
        "seed",
        "gpu_num",
    ]
)
CURRENT_ONLY = frozenset(TrainingConfig.model_fields) - LEGACY_ONLY - BOTH


class SavingConfig(Block):
    """Where the model goes."""

    output_dir: OutputPath
    """Folder of the checkpoints, `checkpoint-<step>.safetensors`; with several datasets a folder in it for each."""
    save_state: bool = False
    """Also keep the state of the optimizer, in folders `checkpoint-<step>`. Version `current` only."""


class TrainBlock(Block):
    """What is trained, on what, and how."""

    tracker_config: TrackerConfig = Field(default_factory=TrackerConfig)
    """Names for Weights & Biases."""
    model_path: ModelPath
    """The model to begin with."""
    dataset_path: DatasetPath
    """The videos."""
    training_config: TrainingConfig = Field(default_factory=TrainingConfig)
    """How."""
    saving_config: SavingConfig
    """Where to."""


__all__ = ["BOTH", "CURRENT_ONLY", "LEGACY_ONLY", "TrainBlock", "TrainingConfig"]
