"""The stand-in of the patched old commit: `train_lora.py` and `infer_lora.py`."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from typing import Any

from djsandbox_easyanimate.testing.arguments import refuse_missing_models
from djsandbox_easyanimate.testing.faults import fail_midway, fault, pace
from djsandbox_easyanimate.testing.files import read_safetensors, weights_of, write_video
from djsandbox_easyanimate.testing.training import Training, begin, train

_FRAMES, _FPS = 16, 12


def train_lora() -> None:
    """`train_lora.py`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("pretrained_model_name_or_path", "transformer_path", "config_path", "output_dir", "train_data_meta"):
        parser.add_argument(f"--{name}", required=name == "pretrained_model_name_or_path")
    for name in ("train_data_dir", "validation_prompts", "report_to", "tracker_project_name", "tracker_experiment_name"):
        parser.add_argument(f"--{name}")
    for name in ("sample_size", "sample_n_frames", "sample_stride", "train_batch_size", "gradient_accumulation_steps", "seed"):
        parser.add_argument(f"--{name}", type=int, default=1)
    for name in ("num_train_epochs", "dataloader_num_workers", "checkpointing_steps", "validation_steps", "vae_mini_batch"):
        parser.add_argument(f"--{name}", type=int, default=1)
    for name in ("learning_rate", "adam_weight_decay", "adam_epsilon"):
        parser.add_argument(f"--{name}", type=float)
    for name in ("enable_xformers_memory_efficient_attention", "gradient_checkpointing"):
        parser.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args()
    if args.report_to == "wandb" and os.environ.get("WANDB_MODE") != "offline" and "WANDB_API_KEY" not in os.environ:
        raise SystemExit(
            "wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])"
        )
    begin()
    _load_models(args)
    rows = _rows(args.train_data_meta, args.train_data_dir)
    train(Training.of(args, rows, [math.ceil(len(rows) / args.train_batch_size)] * args.num_train_epochs))


def infer_lora() -> None:
    """`infer_lora.py`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("prompt_info_path", "config_path", "transformer_path", "vae_path", "lora_path", "save_path"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--pretrained_model_name_or_path", required=True)
    parser.add_argument("--sampler_name", default="DPM++", choices=["Euler", "Euler A", "DPM++", "PNDM", "DDIM"])
    parser.add_argument("--mixed_precision", choices=["no", "fp16", "bf16"])
    defaults = {"image_size": 256, "chunks_num": 1, "chunk_id": 0, "batch_size": 8, "video_num_per_prompt": 3, "seed": None}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    if fault() == "exit-0-nothing":
        sys.exit(0)
    _load_models(args)
    lora = "" if args.lora_path is None else weights_of(args.lora_path)
    with open(args.prompt_info_path, encoding="utf-8") as file:
        listed = json.load(file)
    share = (len(listed) - 1) // args.chunks_num + 1
    prompts = [one["prompt_en"] for one in listed[args.chunk_id * share : (args.chunk_id + 1) * share]]
    os.makedirs(args.save_path, exist_ok=True)
    batches = [prompts[at : at + args.batch_size] for at in range(0, len(prompts), args.batch_size)]
    for at, batch in enumerate(batches):
        sys.stderr.write(f"\r{at / len(batches):4.0%}|          | {at}/{len(batches)} [00:00<00:00,  1.00s/it]")
        for number in range(args.video_num_per_prompt):
            pace()
            fail_midway(at * args.video_num_per_prompt + number + 1, len(batches) * args.video_num_per_prompt)
            for prompt in batch:
                is_last = at == len(batches) - 1 and number == args.video_num_per_prompt - 1 and prompt == batch[-1]
                if not (fault() == "missing-results" and is_last):
                    write_video(
                        os.path.join(args.save_path, f"{prompt}-{number}.mp4"),
                        f"{prompt} {number} {args.seed} {lora}",
                        _FRAMES,
                        _FPS,
                    )
    sys.stderr.write("\n")


def _load_models(args: argparse.Namespace) -> None:
    refuse_missing_models(args)
    if args.transformer_path is not None:
        print(f"From checkpoint: {args.transformer_path}", flush=True)  # noqa: T201
        read_safetensors(args.transformer_path)


def _rows(meta: str, folder: str | None) -> list[dict[str, Any]]:
    with open(meta, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file] if meta.lower().endswith("jsonl") else json.load(file)
    for row in rows:
        video, _ = row["videos"], row["text"]
        video = video[0] if isinstance(video, list) else video
        if not os.path.exists(video) and not (folder and os.path.exists(os.path.join(folder, video))):
            raise ValueError(f"{video} does not exist, please change it to absolute path or ser video_folder")
    return list(rows)
