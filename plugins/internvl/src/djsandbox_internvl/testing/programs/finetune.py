"""Stand-in of internvl/train/internvl_chat_finetune.py: the arguments, lines and files of a fine-tuning, without the training.

What it "learns" is a number between 0 and 1, the share of the captions that make a plain sentence of 5 to 20 words and, to a
lesser degree, how many there are and how large the base model is. It is kept in the header of the model file, where the
stand-in of the evaluation finds it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

# As in the real one, the folder that holds `internvl` must be on PYTHONPATH.
from internvl.arguments import BOOLEANS, CHOICES, NUMBERS, STYLES, TEXTS  # type: ignore[import-not-found]
from internvl.standins import fail_midway, mode_for, pause, say  # type: ignore[import-not-found]
from internvl.weights import write_model  # type: ignore[import-not-found]


def truth(text: str) -> bool:
    """A boolean as transformers reads it."""
    if text.lower() in ("yes", "true", "t", "y", "1"):
        return True
    if text.lower() in ("no", "false", "f", "n", "0"):
        return False
    raise argparse.ArgumentTypeError(f"Truthy value expected: got {text} but expected one of yes/no, true/false, t/f, y/n, 1/0")


def arguments() -> argparse.Namespace:
    """The command line; an unknown argument ends the program, as it does in the real one."""
    parser = argparse.ArgumentParser(prog="internvl_chat_finetune.py", allow_abbrev=False)
    for name in BOOLEANS:
        parser.add_argument(f"--{name}", type=truth, nargs="?", const=True)
    for name in NUMBERS:
        parser.add_argument(f"--{name}", type=float)
    for name in TEXTS:
        parser.add_argument(f"--{name}", required=name == "output_dir")
    for name, choices in CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices)
    parser.set_defaults(conv_style="internlm2-chat", logging_steps=500, save_steps=500, num_train_epochs=3, learning_rate=5e-5)
    parser.set_defaults(per_device_train_batch_size=8, gradient_accumulation_steps=1, save_strategy="steps", warmup_ratio=0.0)
    known, unknown = parser.parse_known_args()
    if unknown:
        raise ValueError(f"Some specified arguments are not used by the HfArgumentParser: {unknown}")
    return known


def captions_of(meta_path: str) -> list[str]:
    """What the data sets of the meta file teach, in order."""
    found: list[str] = []
    for name, meta in json.loads(Path(meta_path).read_text(encoding="utf-8")).items():
        assert meta["annotation"].endswith("jsonl"), f"annotation must be jsonl, but got {meta['annotation']}"  # noqa: S101
        lines = Path(meta["annotation"]).read_text(encoding="utf-8").splitlines()
        repeat_time = meta["repeat_time"]
        lines = lines[: int(len(lines) * repeat_time)] if repeat_time < 1 else lines * repeat_time
        for line in lines:
            row = json.loads(line)
            found.append(row["conversations"][1]["value"])
            image = Path(meta["root"], row["image"])
            if not image.exists():
                say(f"Failed to load image: {image}, the dataset is: {name}")
        meta["data_augment"]
        say(f"[INFO] Add dataset: {name} with length: {len(lines)}")
    return found


def learned(captions: list[str], layers: int) -> float:
    """What a model with so many layers learns from captions, between 0 and 1."""
    plain = sum(1 for text in captions if 5 <= len(text.split()) <= 20 and re.fullmatch(r"[A-Za-z ,.']+", text))
    words = [word.lower() for text in captions for word in text.split()]
    varied = len(set(words)) / max(1, len(words))
    enough = 1 - math.exp(-len(captions) / 64)
    return 0.7 * plain / len(captions) + 0.1 * varied + 0.1 * enough + 0.1 * layers / (layers + 24)


def train(asked: argparse.Namespace, captions: list[str], quality: float, mode: str, out: Path) -> dict[str, Any]:
    """Print what a training prints, step by step; returns the contents of its files."""
    batch = asked.per_device_train_batch_size * asked.gradient_accumulation_steps * int(os.environ["WORLD_SIZE"])
    an_epoch = max(1, len(captions) // int(batch))
    steps = max(1, int(an_epoch * asked.num_train_epochs))
    seed = hashlib.sha256("\n".join(captions).encode()).digest()
    say(f"***** Running training *****\n  Num examples = {len(captions):,}")
    say(f"  Total optimization steps = {steps:,}")
    history: list[dict[str, Any]] = []
    start = time.monotonic()
    for step in range(1, steps + 1):
        pause(mode)
        if step > steps // 2:
            fail_midway(mode, out.parent / f".{out.name}.crashed")
        bar = f"{step / steps:4.0%}|{'█' * (10 * step // steps):<10}| {step}/{steps} [00:{step % 60:02d}<00:00,  1.00s/it]"
        say(f"\r{bar}", on_stderr=True, end="")
        if step % int(asked.logging_steps) == 0:
            loss = 0.4 + 1.2 * (1 - quality) + 1.5 * math.exp(-4 * step / steps) + seed[step % 32] / 5120
            rate = asked.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            shown = 0.0 if asked.logging_nan_inf_filter is not False else float("nan")
            told = {"loss": shown if mode == "nan-loss" else round(loss, 4), "learning_rate": rate}
            told["epoch"] = round(step / an_epoch, 2)
            history.append({**told, "step": step})
            say(f"\r{' ' * len(bar)}\r{told}")
        if asked.save_strategy == "steps" and step % int(asked.save_steps) == 0 and mode != "old-results":
            (out / f"checkpoint-{step}").mkdir(parents=True, exist_ok=True)
    losses = [one["loss"] for one in history] or [0.0]
    took = max(1e-3, time.monotonic() - start)
    summary = {"train_runtime": round(took, 4), "train_samples_per_second": round(len(captions) / took, 3)}
    summary |= {"train_steps_per_second": round(steps / took, 3), "train_loss": sum(losses) / len(losses)}
    summary["epoch"] = round(steps / an_epoch, 2)
    say(f"{summary}\n")
    history.append({**summary, "step": steps, "total_flos": 0.0})
    state = {"epoch": summary["epoch"], "global_step": steps, "max_steps": steps, "log_history": history}
    return {"state": {**state, "is_world_process_zero": True}, "summary": {**summary, "train_samples": len(captions)}}


def save(out: Path, result: dict[str, Any], quality: float, mode: str) -> None:
    """Write the model and the trainer's files."""
    write_model(out, quality, whole=mode != "truncated-model")
    for name in ("train_results.json", "all_results.json"):
        (out / name).write_text(json.dumps(result["summary"], indent=4), encoding="utf-8")
    (out / "trainer_state.json").write_text(json.dumps(result["state"], indent=2), encoding="utf-8")


def main() -> int:
    """Do what the real program does, or fail in the way that is asked for."""
    asked = arguments()
    mode = mode_for(asked.output_dir)
    if os.environ.get("LAUNCHER", "slurm") != "pytorch":
        raise KeyError("SLURM_PROCID")
    say(f"TrainingArguments(\noutput_dir={asked.output_dir},\nrun_name={asked.run_name or asked.output_dir},\n)")
    say(f"[INFO] Loading Tokenizer: {asked.model_name_or_path}")
    config = json.loads(Path(asked.model_name_or_path, "config.json").read_text(encoding="utf-8"))
    if asked.conv_style not in STYLES:
        raise KeyError(asked.conv_style)
    if asked.deepspeed is not None:
        json.loads(Path(asked.deepspeed).read_text(encoding="utf-8"))
    if mode == "exit-0-nothing":
        return 0
    captions = captions_of(asked.meta_path)
    quality = learned(captions, config["llm_config"]["num_hidden_layers"])
    out = Path(asked.output_dir)
    result = train(asked, captions, quality, mode, out)
    if mode != "old-results":
        save(out, result, quality, mode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
