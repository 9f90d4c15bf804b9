"""Generates videos with the current EasyAnimate: `python text_to_video.py ORDER.json`, in a checkout of it.

EasyAnimate's own `predict_t2v.py` has no arguments, one prompt and numbers for names. This program loads the model once, in
the same steps and with the same parts of EasyAnimate, and writes `<prompt>-<number>.mp4` for each prompt and number. A video
depends on its prompt, its number and the seed alone, not on the others. Runs with Python 3.10; needs a GPU.
"""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "no": "float32"}
SCHEDULERS = {
    "Euler": "EulerDiscreteScheduler",
    "Euler A": "EulerAncestralDiscreteScheduler",
    "DPM++": "DPMSolverMultistepScheduler",
    "PNDM": "PNDMScheduler",
    "DDIM": "DDIMScheduler",
    "Flow": "FlowMatchEulerDiscreteScheduler",
}


def main(order_file: str) -> None:
    """Generate what the order asks for."""
    with open(order_file, encoding="utf-8") as file:
        order = SimpleNamespace(**json.load(file))
    sys.path.insert(0, os.getcwd())  # the checkout
    import torch  # noqa: PLC0415
    from easyanimate.utils.lora_utils import merge_lora  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    config = OmegaConf.load(order.config_path)
    dtype = getattr(torch, DTYPES[order.mixed_precision])
    pipeline = load_pipeline(order, config, dtype)
    if order.lora_path:
        pipeline = merge_lora(pipeline, order.lora_path, order.lora_weight, device="cuda", dtype=dtype)
    os.makedirs(order.output_dir, exist_ok=True)
    total = len(order.prompts) * order.videos_per_prompt
    with torch.no_grad():
        for at, prompt in enumerate(order.prompts):
            for number in range(order.videos_per_prompt):
                generate(pipeline, order, prompt, number)
                say(f"video {at * order.videos_per_prompt + number + 1}/{total}: {prompt}-{number}.mp4")


def load_pipeline(order: SimpleNamespace, config: Any, dtype: Any) -> Any:
    """The pipeline with its models, its memory mode and TeaCache."""
    import diffusers  # noqa: PLC0415
    from easyanimate.models import name_to_autoencoder_magvit, name_to_transformer3d  # noqa: PLC0415
    from easyanimate.models.transformer3d import get_teacache_coefficients  # noqa: PLC0415
    from easyanimate.pipeline.pipeline_easyanimate import EasyAnimatePipeline  # noqa: PLC0415
    from easyanimate.pipeline.pipeline_easyanimate_inpaint import EasyAnimateInpaintPipeline  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    is_v51 = "v5.1" in order.model.lower()
    options = OmegaConf.to_container(config["transformer_additional_kwargs"])
    if order.mixed_precision == "fp16" and not is_v51:
        options["upcast_attention"] = True
    transformer = name_to_transformer3d[options.get("transformer_type", "Transformer3DModel")].from_pretrained_2d(
        order.model,
        subfolder="transformer",
        transformer_additional_kwargs=options,
        torch_dtype=_weights_dtype(order, dtype),
        low_cpu_mem_usage=True,
    )
    for path in (order.transformer_path, order.motion_module_path):
        load_weights(transformer, path)
    vae_options = OmegaConf.to_container(config["vae_kwargs"])
    vae_class = name_to_autoencoder_magvit[vae_options.get("vae_type", "AutoencoderKL")]
    vae = vae_class.from_pretrained(order.model, subfolder="vae", vae_additional_kwargs=vae_options).to(dtype)
    if order.mixed_precision == "fp16" and not is_v51:
        vae.upcast_vae = True
    load_weights(vae, order.vae_path)
    scheduler = getattr(diffusers, SCHEDULERS[order.sampler]).from_pretrained(order.model, subfolder="scheduler")
    parts = {"vae": vae, "transformer": transformer, "scheduler": scheduler, **text_models(order, config, dtype)}
    if takes_video(transformer, vae):
        pipeline = EasyAnimateInpaintPipeline(**parts, **image_models(order, options, dtype))
    else:
        pipeline = EasyAnimatePipeline(**parts)
    _save_memory(pipeline, order, dtype)
    coefficients = get_teacache_coefficients(order.model)
    if coefficients is not None and order.teacache_threshold:
        pipeline.transformer.enable_teacache(order.num_inference_steps, order.teacache_threshold, coefficients=coefficients)
    return pipeline


def text_models(order: SimpleNamespace, config: Any, dtype: Any) -> dict[str, Any]:
    """The tokenizers and text encoders that the model's generation has: one pair or two, of T5, BERT or Qwen2-VL."""
    import transformers  # noqa: PLC0415

    options = config["text_encoder_kwargs"]

    def pair(is_large: bool, name: str, encoder: str) -> tuple[Any, Any]:
        if is_large and options.get("replace_t5_to_llm", False):
            tokenizer = transformers.Qwen2Tokenizer.from_pretrained(os.path.join(order.model, name))
            model = transformers.Qwen2VLForConditionalGeneration
            return tokenizer, model.from_pretrained(os.path.join(order.model, encoder), torch_dtype=dtype)
        tokenizer_class = transformers.T5Tokenizer if is_large else transformers.BertTokenizer
        encoder_class = transformers.T5EncoderModel if is_large else transformers.BertModel
        model = encoder_class.from_pretrained(order.model, subfolder=encoder, torch_dtype=dtype)
        return tokenizer_class.from_pretrained(order.model, subfolder=name), model

    if options.get("enable_multi_text_encoder", False):
        first, second = pair(False, "tokenizer", "text_encoder"), pair(True, "tokenizer_2", "text_encoder_2")
    else:
        first, second = pair(True, "tokenizer", "text_encoder"), (None, None)
    return {"tokenizer": first[0], "text_encoder": first[1], "tokenizer_2": second[0], "text_encoder_2": second[1]}


def image_models(order: SimpleNamespace, options: dict[str, Any], dtype: Any) -> dict[str, Any]:
    """The image encoder of the in-painting models, where the generation has one."""
    if not options.get("enable_clip_in_inpaint", True):
        return {"clip_image_encoder": None, "clip_image_processor": None}
    import transformers  # noqa: PLC0415

    encoder = transformers.CLIPVisionModelWithProjection.from_pretrained(order.model, subfolder="image_encoder").to(dtype)
    processor = transformers.CLIPImageProcessor.from_pretrained(order.model, subfolder="image_encoder")
    return {"clip_image_encoder": encoder, "clip_image_processor": processor}


def load_weights(model: Any, path: str | None) -> None:
    """Put the weights of a file over those of the model."""
    if not path:
        return
    say(f"From checkpoint: {path}")
    if path.endswith("safetensors"):
        from safetensors.torch import load_file  # noqa: PLC0415

        weights = load_file(path)
    else:
        import torch  # noqa: PLC0415

        weights = torch.load(path, map_location="cpu", weights_only=True)
    missing, unexpected = model.load_state_dict(weights.get("state_dict", weights), strict=False)
    say(f"missing keys: {len(missing)}, unexpected keys: {len(unexpected)}")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def takes_video(transformer: Any, vae: Any) -> bool:
    """Whether it is an in-painting model, which wants a video (here: none) beside the prompt."""
    return bool(transformer.config.in_channels != vae.config.latent_channels)


def generate(pipeline: Any, order: SimpleNamespace, prompt: str, number: int) -> None:
    """Write one video; it appears under its name when it is whole."""
    import torch  # noqa: PLC0415
    from easyanimate.utils.utils import get_image_to_video_latent, save_videos_grid  # noqa: PLC0415

    height, width = order.size
    length, vae, extra = order.video_length, pipeline.vae, {}
    if takes_video(pipeline.transformer, vae):
        batch = vae.mini_batch_encoder
        if length > 1:
            length = (length - 1) // batch * batch + 1 if vae.cache_mag_vae else length // batch * batch
        video, mask, clip_image = get_image_to_video_latent(None, None, video_length=length, sample_size=[height, width])
        extra = {"video": video, "mask_video": mask, "clip_image": clip_image}
    frames = pipeline(
        prompt,
        video_length=length,
        negative_prompt=order.negative_prompt,
        height=height,
        width=width,
        generator=torch.Generator(device="cuda").manual_seed(order.seed + number),
        guidance_scale=order.guidance_scale,
        num_inference_steps=order.num_inference_steps,
        **extra,
    ).frames
    unfinished = os.path.join(order.output_dir, order.unfinished)
    save_videos_grid(frames, unfinished, fps=order.fps)
    os.replace(unfinished, os.path.join(order.output_dir, f"{prompt}-{number}.mp4"))


def _weights_dtype(order: SimpleNamespace, dtype: Any) -> Any:
    import torch  # noqa: PLC0415

    return torch.float8_e4m3fn if order.gpu_memory_mode == "model_cpu_offload_and_qfloat8" else dtype


def _save_memory(pipeline: Any, order: SimpleNamespace, dtype: Any) -> None:
    import transformers  # noqa: PLC0415
    from easyanimate.utils.fp8_optimization import (  # noqa: PLC0415
        convert_model_weight_to_float8,
        convert_weight_dtype_wrapper,
    )

    if order.gpu_memory_mode == "sequential_cpu_offload":
        pipeline._manual_cpu_offload_in_sequential_cpu_offload = []
        for name in ("text_encoder", "text_encoder_2"):
            encoder = getattr(pipeline, name)
            if isinstance(encoder, transformers.Qwen2VLForConditionalGeneration):
                if hasattr(encoder, "visual"):
                    del encoder.visual
                convert_model_weight_to_float8(encoder)
                convert_weight_dtype_wrapper(encoder, dtype)
                pipeline._manual_cpu_offload_in_sequential_cpu_offload = [name]
        pipeline.enable_sequential_cpu_offload()
        return
    if order.gpu_memory_mode == "model_cpu_offload_and_qfloat8":
        for encoder in (pipeline.text_encoder, pipeline.text_encoder_2):
            if hasattr(encoder, "visual"):
                del encoder.visual
        convert_weight_dtype_wrapper(pipeline.transformer, dtype)
    pipeline.enable_model_cpu_offload()


if __name__ == "__main__":
    main(sys.argv[1])
