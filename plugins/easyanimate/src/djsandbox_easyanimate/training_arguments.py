"""The command lines of both versions' trainings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from djsandbox_easyanimate.train_task import FREE_PORT
from djsandbox_easyanimate.training_config import TrainBlock, TrainingConfig

_NUMBERS = [
    "image_sample_size",
    "video_sample_size",
    "token_sample_size",
    "video_sample_stride",
    "video_sample_n_frames",
    "video_repeat",
    "learning_rate",
    "lr_scheduler",
    "lr_warmup_steps",
    "max_train_steps",
    "checkpointing_steps",
    "rank",
    "network_alpha",
    "train_mode",
    "adam_weight_decay",
    "adam_epsilon",
    "max_grad_norm",
    "vae_mini_batch",
    "gradient_accumulation_steps",
    "num_train_epochs",
    "dataloader_num_workers",
    "seed",
    "report_to",
]
_FLAGS = [
    "gradient_checkpointing",
    "low_vram",
    "enable_bucket",
    "uniform_sampling",
    "random_hw_adapt",
    "training_with_video_token_length",
    "use_deepspeed",
]
_LEGACY_SIZE = 256


@dataclass(frozen=True)
class Training:
    """One of the trainings of a job."""

    name: str
    dataset: str
    folder: str
    """Of its files when it has ended."""
    experiment: str
    """What it is called on Weights & Biases."""

    @property
    def unfinished(self) -> str:
        """The folder of its files before it has ended, absolute."""
        return os.path.join(os.path.abspath(self.folder), ".unfinished")


def legacy_arguments(train: TrainBlock, one: Training) -> list[str]:
    """The fourteen words of `train_lora.sh`."""
    model, data, how, names = train.model_path, train.dataset_path, train.training_config, train.tracker_config
    return [
        path_or_name(model.pretrained_model_name_or_path),
        _absolute(model.transformer_path),
        _absolute(data.dataset_name),
        os.path.abspath(one.dataset),
        str(how.sample_size or _LEGACY_SIZE),
        how.mixed_precision,
        str(how.batch_size_per_gpu),
        str(how.gradient_accumulation_steps),
        str(how.num_train_epochs),
        str(how.dataloader_num_workers),
        str(how.seed),
        one.unfinished,
        names.project_name,
        one.experiment,
    ]


def current_arguments(train: TrainBlock, one: Training, gpus: int) -> list[str]:
    """The arguments of `accelerate launch` with `scripts/train_lora.py`, for a process on each of so many GPUs."""
    model, data, how = train.model_path, train.dataset_path, train.training_config
    launch = [f"--mixed_precision={how.mixed_precision}", f"--num_processes={gpus}", "--num_machines=1"]
    if how.use_deepspeed:
        launch += ["--use_deepspeed", "--deepspeed_config_file=config/zero_stage2_config.json"]
    elif gpus > 1:
        launch += ["--multi_gpu"]
    launch += ["--dynamo_backend=no"]
    if gpus > 1:
        launch += [f"--main_process_port={FREE_PORT}"]  # trainings beside each other would have one; torchrun cannot take 0
    options: dict[str, Any] = {
        "pretrained_model_name_or_path": path_or_name(model.pretrained_model_name_or_path),
        "transformer_path": _absolute(model.transformer_path),
        "vae_path": _absolute(model.vae_path),
        "train_data_dir": _absolute(data.dataset_name),
        "train_data_meta": os.path.abspath(one.dataset),
        "config_path": how.config_path,
        "mixed_precision": how.mixed_precision,
        "train_batch_size": how.batch_size_per_gpu,
        "loss_type": loss_type(how),
        "tracker_project_name": train.tracker_config.project_name,
        "output_dir": one.unfinished,
        **{name: getattr(how, name) for name in _NUMBERS},
    }
    flags = [name for name in _FLAGS if getattr(how, name)] + (["save_state"] if train.saving_config.save_state else [])
    return [
        *launch,
        "scripts/train_lora.py",
        *(f"--{name}={value}" for name, value in options.items() if value not in (None, "")),
        *(f"--{name}" for name in flags),
        *how.extra_arguments,
    ]


def loss_type(how: TrainingConfig) -> str:
    """The loss that is asked for, else that of the generation."""
    if how.loss_type:
        return how.loss_type
    name = os.path.basename(how.config_path)
    if "v5.1" in name:
        return "flow"
    return "ddpm" if "_v4" in name or "_v5" in name else "sigma"


def path_or_name(model: str) -> str:
    """A base model for a program that runs in another folder: a name on the hub as it is."""
    return os.path.abspath(model) if os.path.exists(model) else model


def _absolute(path: str | None) -> str:
    return os.path.abspath(path) if path else ""
