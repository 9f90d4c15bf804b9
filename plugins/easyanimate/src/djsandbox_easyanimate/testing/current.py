"""The stand-in of the current version's `scripts/train_lora.py`."""

from __future__ import annotations

import argparse
import csv
import json
import os
from typing import Any

from djsandbox_easyanimate.testing.arguments import refuse_missing_models
from djsandbox_easyanimate.testing.training import Training, begin, train

_TEXTS = (
    "train_data_dir train_data_meta output_dir config_path transformer_path vae_path report_to tracker_project_name "
    "resume_from_checkpoint lr_scheduler logging_dir"
)
_NUMBERS = {
    "train_batch_size": 16,
    "vae_mini_batch": 32,
    "num_train_epochs": 100,
    "max_train_steps": None,
    "gradient_accumulation_steps": 1,
    "lr_warmup_steps": 500,
    "dataloader_num_workers": 0,
    "checkpointing_steps": 500,
    "checkpoints_total_limit": None,
    "validation_epochs": 5,
    "validation_steps": 2000,
    "rank": 128,
    "network_alpha": 64,
    "train_sampling_steps": 1000,
    "token_sample_size": 512,
    "video_sample_size": 512,
    "image_sample_size": 512,
    "video_sample_stride": 4,
    "video_sample_n_frames": 17,
    "video_repeat": 0,
    "tokenizer_max_length": 256,
    "seed": None,
}
_FLAGS = (
    "random_flip use_came multi_stream gradient_checkpointing scale_lr use_8bit_adam allow_tf32 uniform_sampling snr_loss "
    "train_text_encoder enable_bucket random_ratio_crop random_frame_crop random_hw_adapt training_with_video_token_length "
    "enable_text_encoder_in_dataloader keep_all_node_same_token_length motion_sub_loss noise_share_in_frames save_state "
    "use_deepspeed low_vram enable_xformers_memory_efficient_attention report_model_info"
)


def train_lora() -> None:
    """`scripts/train_lora.py`."""
    parser = argparse.ArgumentParser(prog="train_lora.py", allow_abbrev=False)
    parser.add_argument("--pretrained_model_name_or_path", required=True)
    parser.add_argument("--validation_prompts", nargs="+")
    parser.add_argument("--mixed_precision", choices=["no", "fp16", "bf16"])
    parser.add_argument("--loss_type", default="sigma")
    parser.add_argument("--train_mode", default="normal")
    for name in _TEXTS.split():
        parser.add_argument(f"--{name}")
    for name, default in _NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("learning_rate", "adam_beta1", "adam_beta2", "adam_weight_decay", "adam_epsilon", "max_grad_norm"):
        parser.add_argument(f"--{name}", type=float, default=1e-4)
    for name in _FLAGS.split():
        parser.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args()
    begin()
    refuse_missing_models(args)
    rows = _rows(args.train_data_meta, args.train_data_dir, args.video_repeat)
    batches = _batches(rows, args.train_batch_size, args.num_train_epochs)
    train(Training.of(args, rows, batches, save_state=args.save_state, names_states=True))


def _rows(meta: str, folder: str | None, video_repeat: int) -> list[dict[str, Any]]:
    with open(meta, encoding="utf-8") as file:
        if meta.endswith(".csv"):
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        elif meta.endswith(".json"):
            rows = json.load(file)
        else:
            raise UnboundLocalError("cannot access local variable 'dataset' where it is not associated with a value")
    images = [row for row in rows if row.get("type", "image") != "video"]
    videos = [row for row in rows if row.get("type", "image") == "video"]
    if images:
        raise OSError(f"cannot identify image file '{images[0]['file_path']}'")  # they are videos that are not said to be
    for row in videos:
        path, _ = row["file_path"], row["text"]
        if not os.path.exists(path if folder is None else os.path.join(folder, path)):
            raise RuntimeError(f"Error reading {path}...")
    return videos * video_repeat


def _batches(rows: list[dict[str, Any]], size: int, epochs: int) -> list[int]:
    """Batches of each epoch: the sampler keeps what fills no batch for the next."""
    left, found = 0, []
    for _ in range(epochs):
        full, left = divmod(left + len(rows), size)
        found.append(full)
    return found
