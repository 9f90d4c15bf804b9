"""What the programs of both versions are told to generate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from djsandbox_easyanimate.inference_config import InferBlock
from djsandbox_easyanimate.training_arguments import path_or_name

_LEGACY_CONFIG = "config/easyanimate_video_motion_module_v1.yaml"
_LEGACY_SIZE = 256
_CURRENT_SIZE = (384, 672)
_AS_THEY_ARE = (
    "config_path",
    "sampler",
    "mixed_precision",
    "video_length",
    "fps",
    "guidance_scale",
    "num_inference_steps",
    "lora_weight",
    "negative_prompt",
    "gpu_memory_mode",
    "teacache_threshold",
    "seed",
)


@dataclass(frozen=True)
class Generation:
    """The videos of one LoRA, or of the base model alone."""

    name: str
    lora: str | None
    folder: str
    """Of the videos."""


def legacy_options(train: InferBlock, one: Generation, prompts: str) -> list[str]:
    """The arguments of `infer_lora.py` for the prompts in the file `prompts`."""
    model, how = train.model_path, train.infer_config
    options = {
        "prompt_info_path": prompts,
        "config_path": _LEGACY_CONFIG,
        "pretrained_model_name_or_path": path_or_name(model.pretrained_model_name_or_path),
        "transformer_path": os.path.abspath(str(model.transformer_path)),
        "lora_path": os.path.abspath(str(one.lora)),
        "image_size": how.image_size[0] if how.image_size else _LEGACY_SIZE,
        "chunks_num": 1,
        "chunk_id": 0,
        "batch_size": how.batch_size,
        "video_num_per_prompt": how.video_num_per_prompt,
        "mixed_precision": how.mixed_precision,
        "save_path": os.path.abspath(one.folder),
        "seed": how.seed,
    }
    return [f"--{name}={value}" for name, value in options.items()]


def driver_order(train: InferBlock, one: Generation, task: str, prompts: list[str]) -> dict[str, Any]:
    """What the driver script is to do."""
    model, how = train.model_path, train.infer_config
    paths = {name: getattr(model, name) for name in ("transformer_path", "motion_module_path", "vae_path")}
    paths["lora_path"] = one.lora
    return {
        "model": path_or_name(model.pretrained_model_name_or_path),
        **{name: os.path.abspath(path) if path else None for name, path in paths.items()},
        **{name: getattr(how, name) for name in _AS_THEY_ARE},
        "size": list(how.image_size or _CURRENT_SIZE),
        "videos_per_prompt": how.video_num_per_prompt,
        "prompts": prompts,
        "unfinished": f".unfinished-{task}.mp4",
        "output_dir": os.path.abspath(one.folder),
    }
