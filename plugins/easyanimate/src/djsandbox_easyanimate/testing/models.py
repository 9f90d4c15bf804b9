"""The stand-in of EasyAnimate's models and pipelines, with the arguments that its own programs give them."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, NamedTuple

from djsandbox_easyanimate.testing.faults import fail_midway, fault, pace
from djsandbox_easyanimate.testing.files import weights_of, write_video


class Part:
    """A model, tokenizer or scheduler that lies in a folder."""

    mini_batch_encoder = 4
    cache_mag_vae = True

    def __init__(self) -> None:
        self.config = SimpleNamespace(in_channels=33, latent_channels=16)

    @classmethod
    def from_pretrained(
        cls, path: str, subfolder: str = "", *, torch_dtype: Any = None, vae_additional_kwargs: Any = None
    ) -> Any:
        """Loads it; OSError where there is no such folder."""
        folder = os.path.join(path, subfolder)
        if not os.path.isdir(folder):
            raise OSError(f"{folder} does not appear to have a file named config.json.")
        return cls()

    def to(self, dtype: Any) -> Any:
        """In another precision."""
        return self

    def load_state_dict(self, weights: Any, strict: bool = True) -> tuple[list[str], list[str]]:
        """Takes the weights."""
        return [], []


class Transformer(Part):
    """The transformer."""

    @classmethod
    def from_pretrained_2d(
        cls,
        path: str,
        subfolder: str | None = None,
        transformer_additional_kwargs: Any = None,
        low_cpu_mem_usage: bool = False,
        torch_dtype: Any = None,
    ) -> Any:
        """Loads it; RuntimeError where there is no config.json."""
        config = os.path.join(path, subfolder or "", "config.json")
        if not os.path.isfile(config):
            raise RuntimeError(f"{config} does not exist")
        return cls()

    def enable_teacache(self, num_steps: int, rel_l1_thresh: float, coefficients: Any = None) -> None:
        """Nothing to see."""


class Frames(NamedTuple):
    """What a video is made of."""

    text: str
    number: int


class Pipeline:
    """The text-to-video pipeline."""

    def __init__(self, text_encoder: Any, text_encoder_2: Any, tokenizer: Any, tokenizer_2: Any, **parts: Any) -> None:
        self.text_encoder, self.text_encoder_2 = text_encoder, text_encoder_2
        self.vae, self.transformer, self.scheduler = parts["vae"], parts["transformer"], parts["scheduler"]
        self.made = 0
        self.lora = ""

    def enable_model_cpu_offload(self) -> None:
        """Nothing to see."""

    def enable_sequential_cpu_offload(self) -> None:
        """Nothing to see."""

    def __call__(
        self,
        prompt: str,
        video_length: int,
        height: int,
        width: int,
        num_inference_steps: int,
        guidance_scale: float,
        negative_prompt: str,
        generator: Any,
        **inpainting: Any,
    ) -> Any:
        """Generates a video."""
        pace()
        self.made += 1
        fail_midway(self.made, 2)
        return SimpleNamespace(frames=Frames(f"{prompt} {generator.seed} {self.lora}", video_length))


def merge_lora(pipeline: Any, lora_path: str, multiplier: float, device: str = "cpu", dtype: Any = None) -> Any:
    """Reads the LoRA: what is generated then looks otherwise."""
    pipeline.lora = f"{weights_of(lora_path)} {multiplier}"
    return pipeline


def save_videos_grid(videos: Frames, path: str, rescale: bool = False, n_rows: int = 6, fps: int = 12) -> None:
    """Writes the video."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if fault() != "missing-results":
        write_video(path, videos.text, videos.number, fps)


def get_image_to_video_latent(start: Any, end: Any, video_length: int, sample_size: list[int]) -> tuple[Any, Any, Any]:
    """No video."""
    return None, None, None
