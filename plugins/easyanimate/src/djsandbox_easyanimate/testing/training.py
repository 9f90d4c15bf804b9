"""What both versions of the stand-in's training have in common: the log, the steps and the files."""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox_easyanimate.testing.faults import fail_midway, fault, pace
from djsandbox_easyanimate.testing.files import write_safetensors

logger = logging.getLogger("__main__")


@dataclass(frozen=True)
class Training:
    """What the training is told, and what differs between the versions."""

    output_dir: Path
    rows: Sequence[Mapping[str, Any]]
    """What it is trained on; the weights are made of it."""
    epochs: int
    batch: int
    accumulation: int
    learning_rate: float
    checkpointing_steps: int
    batches: Sequence[int] = field(default_factory=tuple)
    """Batches that each epoch really has."""
    save_state: bool = False
    names_states: bool = False
    """Whether it logs `Saved state to` at the end."""

    @classmethod
    def of(cls, args: argparse.Namespace, rows: Sequence[Mapping[str, Any]], batches: Sequence[int], **more: bool) -> Training:
        """The training that the arguments, whose names are those of both versions, ask for."""
        return cls(
            output_dir=Path(args.output_dir),
            rows=rows,
            epochs=args.num_train_epochs,
            batch=args.train_batch_size,
            accumulation=args.gradient_accumulation_steps,
            learning_rate=args.learning_rate,
            checkpointing_steps=args.checkpointing_steps,
            batches=batches,
            **more,
        )

    @property
    def planned_steps(self) -> int:
        """The steps that it announces."""
        return self.epochs * self.steps_of(math.ceil(len(self.rows) / self.batch))

    def steps_of(self, batches: int) -> int:
        """The steps that so many batches make in all processes together."""
        return math.ceil(math.ceil(batches / int(os.environ.get("WORLD_SIZE", "1"))) / self.accumulation)


def begin() -> None:
    """Log as accelerate's scripts do; end at once where that is the fault."""
    logging.basicConfig(
        format="%(asctime)s - %(levelname)s - %(name)s - %(message)s", datefmt="%m/%d/%Y %H:%M:%S", level=logging.INFO
    )
    if fault() == "exit-0-nothing":
        sys.exit(0)


def train(job: Training) -> None:
    """Train: announce, step, save."""
    for line in (
        "***** Running training *****",
        f"  Num examples = {len(job.rows)}",
        f"  Num Epochs = {job.epochs}",
        f"  Instantaneous batch size per device = {job.batch}",
        f"  Gradient Accumulation steps = {job.accumulation}",
        f"  Total optimization steps = {job.planned_steps}",
    ):
        logger.info(line)
    if fault() != "old-results":
        (job.output_dir / "sanity_check").mkdir(parents=True, exist_ok=True)
        (job.output_dir / "sanity_check" / "0-0.gif").write_bytes(b"GIF89a")
    step = 0
    total = sum(job.steps_of(batches) for batches in job.batches)
    _bar(0, job.planned_steps, "")
    for _ in range(total):
        pace()
        fail_midway(step + 1, total)
        step += 1
        is_nan = fault() == "nan-loss" and step > total // 2
        loss = math.nan if is_nan else 1 / (step + 1)
        _bar(step, job.planned_steps, f", lr={job.learning_rate:.3g}, step_loss={loss:.3g}")
        if step % job.checkpointing_steps == 0:
            _save(job, step, at_end=False)
    sys.stderr.write("\n")
    if fault() != "missing-results":
        _save(job, step, at_end=True)


def _bar(step: int, total: int, postfix: str) -> None:
    done = step / total if total else 0
    blocks = "█" * int(10 * done)
    times = f"00:{step % 60:02d}<00:{(total - step) % 60:02d},  1.00s/it"
    sys.stderr.write(f"\rSteps: {done:4.0%}|{blocks:<10}| {step}/{total} [{times}{postfix}]")
    sys.stderr.flush()


def _save(job: Training, step: int, *, at_end: bool) -> None:
    learned = f"{step} {job.learning_rate} {[row['text'] for row in job.rows]}"
    state = job.output_dir / f"checkpoint-{step}"
    if at_end or not job.save_state:
        file = job.output_dir / f"checkpoint-{step}.safetensors"
        print(f"\nsaving checkpoint: {file}", flush=True)  # noqa: T201 - accelerator.print
        write_safetensors(file, learned)
    if job.save_state:
        if fault() != "old-results":
            os.makedirs(state, exist_ok=True)
        if state.is_dir():
            write_safetensors(state / "lora_diffusion_pytorch_model.safetensors", learned)
    if job.names_states:
        logger.info("Saved state to %s", state)
