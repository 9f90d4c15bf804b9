"""The config of `internvl_coco_caption` as trainer, and what can be found wrong with it before the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from djsandbox import CommandConfig, EnvConfig, Finding, InputPaths, OutputPath, ReferencePath, visible_gpus
from pydantic import Field, field_validator

from djsandbox_internvl import meta_files
from djsandbox_internvl.conv_styles import style_findings, style_of
from djsandbox_internvl.finetuning import Hyperparameters
from djsandbox_internvl.gpus import gpu_findings
from djsandbox_internvl.open_paths import is_open
from djsandbox_internvl.surroundings import home_findings, known_chat
from djsandbox_internvl.trained_models import model_problem

_SET_BY_US = frozenset(
    {
        "model_name_or_path", "conv_style", "output_dir", "meta_path", "overwrite_output_dir", "do_train",
        "per_device_train_batch_size", "gradient_accumulation_steps", "evaluation_strategy",
    }
)  # fmt: skip


class TrainingConfig(EnvConfig, CommandConfig, Hyperparameters):
    """Which data pools train which model, and how."""

    meta_paths: InputPaths = Field(min_length=1)
    """Meta files, one a data pool; each trains a model of its own."""
    model_name_or_path: ReferencePath
    """Folder of the base model."""
    conv_style_or_scale: str
    """Its scale (1B, 2B, 4B, 8B, 26B, 40B, 76B) or its conversation style (Hermes-2, internlm2-chat, ...)."""
    work_dir: OutputPath
    """Folder of the models; each gets a folder in it, named after its meta file and the base model."""
    internvl_home: ReferencePath | None = None
    """Your checkout of InternVL; by default a clone that belongs to the environment."""
    num_gpus: int | None = Field(default=None, strict=True)
    """GPUs for each training; by default all there are."""
    batch_size_per_device: int = Field(default=4, ge=1, strict=True)
    """Samples that a GPU takes at once."""
    global_batch_size: int = Field(default=512, ge=1, strict=True)
    """Samples for one step of the optimizer; num_gpus * batch_size_per_device must divide it."""
    script_dir: OutputPath | None = None
    """Folder for shell scripts that repeat each training by hand; none by default."""
    master_port: int | None = Field(default=None, ge=1, le=65000, strict=True)
    """Port of the first training, the next ones for the others; by default torchrun finds a free one."""
    on_nan_loss: Literal["warn", "fail"] = "warn"
    """Whether a training whose loss ended as nan has failed, or is only warned of."""

    outside_key: ClassVar[frozenset[str]] = frozenset(
        {
            "internvl_home",
            "script_dir",
            "master_port",
            "on_nan_loss",
            "dataloader_num_workers",
            "report_to",
            "logging_nan_inf_filter",
        }
    )

    @field_validator("extra_args")
    @classmethod
    def _extra_arguments_are_extra(cls, value: dict[str, object]) -> dict[str, object]:
        for name in value:
            bare = name.lstrip("-")
            if bare in Hyperparameters.model_fields:
                raise ValueError(f"'{name}' is a key of its own: write it beside extra_args")
            if bare in _SET_BY_US:
                raise ValueError(f"'{name}' follows from other keys and cannot be set")
        return value

    @property
    def gpus(self) -> int:
        """GPUs of a training: as asked for, else all; 1 where there are none, which only a stand-in survives."""
        return self.num_gpus or len(visible_gpus()) or 1

    @property
    def accumulation(self) -> int:
        """Batches of all GPUs that make one step of the optimizer; ValueError where they do not add up."""
        at_once = self.gpus * self.batch_size_per_device
        steps, rest = divmod(self.global_batch_size, at_once)
        if rest:
            raise ValueError(
                f"{self.gpus} GPUs with {self.batch_size_per_device} samples each take {at_once} at once, which does not "
                f"divide the global batch of {self.global_batch_size}"
            )
        return steps


def findings(config: TrainingConfig) -> Iterator[Finding]:
    """What is wrong with a config, in the order of its keys."""
    yield from gpu_findings(config.num_gpus, config.launcher)
    if config.num_gpus is None or config.num_gpus > 0:
        try:
            _ = config.accumulation
        except ValueError as error:
            yield _batch_finding(config, str(error))
    if not is_open(config.conv_style_or_scale):
        try:
            style = style_of(config.conv_style_or_scale, config.model_name_or_path)
        except ValueError as error:
            yield Finding(("conv_style_or_scale",), str(error))
        else:
            yield from style_findings("conv_style_or_scale", style, config.model_name_or_path)
    yield from _model_findings(config.model_name_or_path)
    yield from home_findings(config, config.internvl_home)
    chat = known_chat(config, config.internvl_home)
    if chat is not None:
        yield from _data_findings(config, chat)


def _model_findings(model: str) -> Iterator[Finding]:
    if not is_open(model) and Path(model).exists() and (problem := model_problem(Path(model))):
        yield Finding(("model_name_or_path",), f"this is no base model: {problem}", "download it again, weights and all")


def _batch_finding(config: TrainingConfig, message: str) -> Finding:
    """At the key that has to change, with the nearest batch that would do for these GPUs, where there is one."""
    most = config.global_batch_size // config.gpus
    fitting = [size for size in range(1, most + 1) if config.global_batch_size % (config.gpus * size) == 0]
    if not fitting:
        key = "batch_size_per_device" if config.num_gpus is None else "num_gpus"
        return Finding((key,), message, "set num_gpus to a divisor of the global batch, or another global_batch_size")
    nearest = min(fitting, key=lambda size: abs(size - config.batch_size_per_device))
    return Finding(("batch_size_per_device",), message, f"batch_size_per_device: {nearest}, or another global_batch_size")


def _data_findings(config: TrainingConfig, chat: Path) -> Iterator[Finding]:
    if config.deepspeed is not None and not (chat / config.deepspeed).is_file():
        there = ", ".join(sorted(path.name for path in chat.glob("zero_stage*.json"))) or "none"
        yield Finding(("deepspeed",), f"there is no {chat / config.deepspeed}", f"there: {there}; null for no DeepSpeed")
    for at, path in enumerate(config.meta_paths):
        if not is_open(path) and Path(path).is_file():
            for problem in meta_files.problems(path, chat):
                yield Finding(("meta_paths", at), problem, "root and annotation are relative to internvl_chat")
