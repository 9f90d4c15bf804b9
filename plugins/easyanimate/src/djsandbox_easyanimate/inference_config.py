"""The blocks of an inference's config: the keys of the existing sandbox, and those that the current version has beside them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from djsandbox import InputPath, InputPaths, OutputPath, ReferencePath
from pydantic import BeforeValidator, Field

from djsandbox_easyanimate.blocks import Block, ModelPath, Positive, Precision


def _square(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


Size = Annotated[tuple[Positive, Positive], BeforeValidator(_square)]
"""Height and width in pixels; one number for both."""

NotNegative = Annotated[float, Field(ge=0)]


class InferModelPath(ModelPath):
    """The base model and what was trained on it."""

    lora_path: InputPaths | None = None
    """The checkpoint of a training, .safetensors; of a list, videos of each. Version `current` also generates without one."""
    motion_module_path: ReferencePath | None = None
    """Weights of the motion module, which only V1 models have apart. Version `current` only."""


class InferConfig(Block):
    """What is generated. The defaults of version `current` are those of its own predict_t2v.py."""

    image_size: Size | None = None
    """Height and width in pixels, [height, width] or one number; by default 256 in version `legacy`, else [384, 672]."""
    prompt_info_path: InputPath
    """The prompts: a list like VBench_full_info.json, of which `prompt_en` is read."""
    gpu_num: Positive = 1
    """Into how many parts the prompts are divided; each is a task with a GPU of its own."""
    batch_size: Positive = 8
    """Prompts at once. Version `legacy` only; `current` takes one after the other."""
    mixed_precision: Precision = "bf16"
    """`no`, `fp16` or `bf16`."""
    video_num_per_prompt: Positive = 5
    """Videos of each prompt; VBench wants 5."""
    seed: int = 43
    """Seed of the noise; in version `current` the n-th video of each prompt has seed + n."""

    config_path: str = "config/easyanimate_video_v5.1_magvit_qwen.yaml"
    """EasyAnimate's config file of the model's generation, relative to EasyAnimate's folder."""
    sampler: Literal["Euler", "Euler A", "DPM++", "PNDM", "DDIM", "Flow"] = "Flow"
    """V5.1 has Flow, V4 and V5 all others, V1 to V3 all but DDIM and Flow."""
    video_length: Positive = 49
    """Frames of a video."""
    fps: Positive = 8
    """Frames a second."""
    guidance_scale: NotNegative = 6.0
    """How closely the prompt is followed."""
    num_inference_steps: Positive = 50
    """Steps of taking away noise."""
    lora_weight: float = 0.6
    """How much of the LoRA is added."""
    negative_prompt: str = "Twisted body, limb deformities, text captions, comic, static, ugly, error, messy code."
    """What is not wanted."""
    gpu_memory_mode: Literal["model_cpu_offload", "model_cpu_offload_and_qfloat8", "sequential_cpu_offload"] = (
        "model_cpu_offload_and_qfloat8"
    )
    """What is kept off the GPU. qfloat8 holds the transformer in 8 bits (V4 and later); sequential is slowest and smallest."""
    teacache_threshold: NotNegative = 0.08
    """V5.1 skips steps that change less than this; 0: none is skipped."""


LEGACY_ONLY = frozenset({"batch_size"})
BOTH = frozenset(["image_size", "prompt_info_path", "gpu_num", "mixed_precision", "video_num_per_prompt", "seed"])
CURRENT_ONLY = frozenset(InferConfig.model_fields) - LEGACY_ONLY - BOTH


class InferSavingConfig(Block):
    """Where the videos go."""

    output_video_dir: OutputPath
    """Folder of the videos, `<prompt>-<number>.mp4`; with several LoRAs a folder in it for each."""


class InferBlock(Block):
    """With what, what and where to. (The existing sandbox calls this block `train`, too.)"""

    model_path: InferModelPath
    """The models."""
    infer_config: InferConfig
    """What is generated, and how."""
    saving_config: InferSavingConfig
    """Where to."""
