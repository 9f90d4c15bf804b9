"""What a run of Trinity does, seen from outside: it prints metrics and writes checkpoints."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

from djsandbox_trinity.testing.config import Config
from djsandbox_trinity.testing.making import write_weights
from djsandbox_trinity.testing.printing import Logger, Monitor, repeated
from djsandbox_trinity.testing.settings import failure, pace

_SUM = re.compile(r"(-?\d+)\s*([-+*])\s*(-?\d+)")
_TRACEBACK = 'Traceback (most recent call last):\n  File "trainer.py", line 124, in train\n{}\n'


def run_job(config: Config, job_dir: Path) -> None:
    """Train; what goes wrong is logged and not raised, as Trinity does."""
    how = failure()
    pid = os.getpid()
    launcher = Logger("", pid)
    if how in ("trainer-failed", "both-failed"):
        who = "Trainer" if how == "trainer-failed" else "Explorer or Trainer"
        launcher.error("launcher.py:163", f"{who} failed:\n" + _TRACEBACK.format("torch.OutOfMemoryError: CUDA out of memory."))
        return
    explorer = Logger("Explorer", pid + 1, job_dir / "log" / "explorer.log")
    trainer = Logger("Trainer", pid + 2, job_dir / "log" / "trainer.log", ip="10.0.0.7")
    (job_dir / "buffer").mkdir(exist_ok=True)
    (job_dir / "config.json").write_text(json.dumps({"mode": config.mode}), encoding="utf-8")
    try:
        rows = _rows(str(config.get("buffer", "explorer_input", "taskset", "path", default="")))
    except FileNotFoundError as error:
        launcher.error("launcher.py:277", "Explorer or Trainer failed:\n" + _TRACEBACK.format(f"DatasetNotFoundError: {error}"))
        return
    explorer.info("explorer.py:269", "Explorer is ready.")
    trainer.info("trainer.py:79", "Trainer is ready.")
    _train(config, job_dir, rows, explorer, trainer)


def _train(config: Config, job_dir: Path, rows: list[dict[str, object]], explorer: Logger, trainer: Logger) -> None:
    how = failure()
    explored, trained = (
        _monitor(config, job_dir, logger, role) for logger, role in ((explorer, "explorer"), (trainer, "trainer"))
    )
    first = _latest(job_dir) + 1 if config.get("continue_from_checkpoint", default=True) else 1
    last = _steps(config, len(rows))
    interval = int(config.get("trainer", "save_interval", default=0))
    ceiling = _share_of_right_answers(rows)
    step = first - 1
    for step in range(first, last + 1):
        reward = ceiling * (1 - math.exp(-step / 2))
        explored.log(step, {"rollout/accuracy/mean": reward, "rollout/model_version": step - 1, "time/rollout": 1.5})
        repeated("WorkflowRunner", os.getpid() + 10, "INFO the prompt has been shortened")
        trainer.info("trainer.py:198", f"Training at step {step} started.")
        time.sleep(pace())
        if step > (first + last) // 2:
            _go_wrong(how)
        if how in ("trainer-error", "explorer-error") and step == last:
            who = explorer if how == "explorer-error" else trainer
            what = "Error in Explorer: " if how == "explorer-error" else "Error in Trainer:\n"
            who.error("trainer.py:156", what + _TRACEBACK.format("RuntimeError: stack expects each tensor to be equal size"))
            break
        loss = math.nan if how == "nan-loss" and step > 1 else 1 / (step + 1)
        trained.log(step, _metrics(config, step, loss, reward))
        if interval and step % interval == 0 and step < last:
            _save(config, job_dir, step, is_last=False)
    _save(config, job_dir, step, is_last=True)
    trainer.info("trainer.py:181", "--------------------\n> Trainer finished.\n--------------------")


def _monitor(config: Config, job_dir: Path, logger: Logger, role: str) -> Monitor:
    return Monitor(logger, job_dir / "monitor" / "tensorboard" / role if _monitor_type(config) == "tensorboard" else None)


def _monitor_type(config: Config) -> str:
    return str(config.get("monitor", "monitor_type", default="tensorboard"))


def _metrics(config: Config, step: int, loss: float, reward: float) -> dict[str, float | str]:
    """Not all of them are told at every step, the gradient norm of the first is nan, and TensorBoard takes no texts."""
    always: dict[str, float | str] = {"actor/final_loss": loss, "critic/rewards/mean": reward, "training/global_step": step}
    if step % 2 == 0:
        return always
    texts = {} if _monitor_type(config) == "tensorboard" else {"sample/model": "it's"}
    norm = math.nan if step == 1 else 0.5
    return {**always, "actor/lr": 1e-6, "actor/grad_norm": norm, **texts, "perf/throughput": 1234.5, "time/train_step": pace()}


def _go_wrong(how: str) -> None:
    if how == "killed":
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "crash-midway":
        raise RuntimeError("The actor died unexpectedly before finishing this task.")
    if how == "hangs":
        time.sleep(3600)


def _steps(config: Config, num_rows: int) -> int:
    given = config.get("trainer", "total_steps") or config.get("buffer", "total_steps")
    a_pass = num_rows // int(config.get("buffer", "batch_size", default=1))
    return int(given or a_pass * int(config.get("buffer", "total_epochs", default=1)))


def _rows(path: str) -> list[dict[str, object]]:
    """The rows of a folder of JSON lines; like `datasets.load_dataset`, it takes no single file."""
    if not os.path.isdir(path):
        raise FileNotFoundError(f"Dataset '{path}' doesn't exist on the Hub or cannot be accessed.")
    files = [file for file in sorted(Path(path).iterdir()) if file.suffix in (".jsonl", ".json")]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _share_of_right_answers(rows: list[dict[str, object]]) -> float:
    """How well a model can do that is rewarded for the answers in the data: sums with a wrong answer teach nothing."""
    right = 0.0
    for row in rows:
        found = _SUM.search(str(row.get("question", "")))
        if found is None:
            right += 0.5
            continue
        a, sign, b = int(found[1]), found[2], int(found[3])
        right += str({"+": a + b, "-": a - b, "*": a * b}[sign]) == str(row.get("answer", "")).strip()
    return right / len(rows) if rows else 0.0


def _latest(job_dir: Path) -> int:
    try:
        return int((job_dir / "latest_checkpointed_iteration.txt").read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0


def _save(config: Config, job_dir: Path, step: int, *, is_last: bool) -> None:
    how = failure() if is_last else ""
    folder = job_dir / f"global_step_{step}"
    weights = folder / "actor" / "huggingface"
    weights.mkdir(parents=True, exist_ok=True)
    (folder / ".full_checkpoint").write_text("", encoding="ascii")
    for name in ("config.json", "tokenizer_config.json"):
        source = Path(str(config.get("model", "model_path", default=""))) / name
        if source.is_file():
            shutil.copyfile(source, weights / name)
        else:
            (weights / name).write_text("{}", encoding="ascii")
    if how == "half-checkpoint":
        (weights / "model.safetensors").write_bytes(b"\x40")
        return
    wanted = config.get("trainer", "save_hf_checkpoint", default="last")
    if how != "no-weights" and (wanted == "always" or (wanted == "last" and is_last)):
        write_weights(weights / "model.safetensors", step)
    (folder / "actor" / "model_world_size_1_rank_0.pt").write_bytes(b"shard")
    (job_dir / "latest_checkpointed_iteration.txt").write_text(str(step), encoding="ascii")
    (job_dir / "trainer_meta.json").write_text(json.dumps({"latest_iteration": step}), encoding="ascii")
