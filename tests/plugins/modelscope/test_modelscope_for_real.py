"""Trainings and inferences with the real ModelScope, on a CPU, through whole runs of the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError, JobContext, JobFailed, SandboxWatcher, plan, run
from djsandbox.envs import environment_for
from djsandbox_modelscope.infer import ModelscopeInferProbeExecutor
from djsandbox_modelscope.recipe import MODELSCOPE
from djsandbox_modelscope.trainer_names import TRAINER_NAMES
from djsandbox_modelscope.worker.leavings import BEGUN

from .conftest import EXAMPLE, ROOT, LoopbackHub, Made, Sandbox, outputs_of, reviews, write_rows

pytestmark = pytest.mark.slow


def weights(model: Path) -> list[bytes]:
    """The numbers in a model's weights, as they lie in the archive that torch makes of them."""
    with zipfile.ZipFile(model / "pytorch_model.bin") as archive:
        return sorted(archive.read(name) for name in archive.namelist() if "/data/" in name)


def test_the_example_trains_evaluates_and_asks_the_trained_model_and_resumed_repeats_nothing(
    tmp_path: Path, torch_env: Path, tiny_bert: Path, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "configs" / "modelscope_tiny")
    shutil.copytree(tiny_bert, tmp_path / "outputs" / "modelscope_tiny" / "model")
    stale = tmp_path / "outputs" / "modelscope_tiny" / "training" / "output" / "of_an_earlier_training.bin"
    stale.parent.mkdir(parents=True)
    stale.touch()
    (stale.parents[1] / BEGUN).touch()
    monkeypatch.chdir(tmp_path)
    config = "configs/modelscope_tiny/sandbox.yaml"
    existing = {"env_manager": "existing", "env_params": json.dumps({"path": str(torch_env), "check": False})}
    settings = [f"{job}.extra_configs.{key}={value}" for job in ("train", "ask_the_model") for key, value in existing.items()]

    first = run(config, settings=settings)

    train, asked = outputs_of(Path(first.work_dir))
    model = Path(train["model"])
    assert (model, train["training"]) == (Path(train["training"], "output"), "./outputs/modelscope_tiny/training")
    assert json.loads((model / "configuration.json").read_text())["train"]["max_epochs"] == 3
    assert not stale.exists()
    assert weights(model) != weights(tiny_bert)

    watcher = SandboxWatcher(first.work_dir)
    (log,) = Path(train["training"]).glob("*.log.json")
    history = [json.loads(line) for line in log.read_text().splitlines()]
    losses = [row["loss"] for row in history if row["mode"] == "train"]
    assert watcher.query("train.loss") == pytest.approx(losses[-1], abs=1e-4)
    assert losses[-1] < losses[0]
    assert watcher.query("train.evaluation.accuracy") == history[-1]["evaluation/accuracy"]
    recorded = [json.loads(line) for line in Path(first.work_dir, "metrics.jsonl").read_text().splitlines()]
    steps = [event["step"] for event in recorded if event.get("name") == "train.loss"]
    assert steps == [4, 8, 12, 16, 20, 24, 28, 32, 36]

    rows = [json.loads(line) for line in Path(asked["samples_with_results"]).read_text().splitlines()]
    assert len(rows) == 6
    for row in rows:
        feedback = row["model_feedback"]
        scores = dict(zip(feedback["labels"], feedback["scores"], strict=True))
        assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
        assert feedback["confidence"] == scores[row["label"]]
        assert feedback["score"] == scores[feedback["predicted"]] == max(scores.values())
    assert watcher.query("ask_the_model.loss.count") == 6

    assert hub.asked == []  # neither about the model nor about the data, all of which is local
    again = run(config, settings=settings, resume=True)
    assert list(again.executed) == []


def test_the_guides_training_keys_train_a_text_generation_model_on_renamed_rows(
    real: Sandbox, made: Made, tmp_path: Path
) -> None:
    keys = json.loads((ROOT / "configs/demo/sandbox/gpt3_extra_train_config.json").read_text(encoding="utf-8"))
    write_rows(tmp_path / "rows.jsonl", *({"text": row["text"], "meta": {"n": 1}} for row in reviews(7)))
    keys |= {"train_dataset": "./rows.jsonl", "model_name": str(made.gpt2)}
    real.run(**keys)

    assert "the model's own EvaluationHook is left out" in real.log()
    model = Path(real.outputs()["model"])
    assert weights(model) != weights(made.gpt2)
    # transformers would load these, and they are those from before the training
    assert not (model / "model.safetensors").exists()
    assert "removed model.safetensors" in real.log()
    # of 4 steps an epoch, less than ModelScope's interval of 10, at least the last is told
    assert [step for step, _ in real.metrics("train.loss")] == [4, 8]
    assert real.metrics("train.evaluation.accuracy") == []


def test_a_training_that_diverges_early_is_ended_before_its_last_epoch(real: Sandbox) -> None:
    train = {"max_epochs": 100_000, "optimizer": {"type": "AdamW", "lr": 1e30}}
    with pytest.raises(JobFailed, match=r"the training diverged: the loss is nan, 20 steps in a row"):
        real.run(train=train)
    assert real.outputs() == {}


def test_a_worker_that_is_killed_fails_the_job_and_half_a_model_is_not_taken_for_one(real: Sandbox) -> None:
    train = {"max_epochs": 100_000, "logging": {"interval": 1}}
    killer = threading.Thread(target=kill_the_worker, args=(real,))
    killer.start()
    try:
        with pytest.raises(JobFailed, match=r"killed|signal"):
            real.run(train=train)
    finally:
        killer.join()
    assert (real.work_dir / "output" / "configuration.json").exists()  # half of a model, which nobody takes for one
    assert not (real.work_dir / "djsandbox_training.json").exists()
    assert real.outputs() == {}
    assert plan("sandbox.yaml", resume=True).jobs[0].action == "run"


def kill_the_worker(sandbox: Sandbox) -> None:
    """Once it has trained for an epoch."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(sandbox.work_dir.glob("epoch_*.pth")):
        time.sleep(0.1)
    for pid in workers_of(sandbox):
        os.kill(pid, signal.SIGKILL)


def workers_of(sandbox: Sandbox) -> Iterator[int]:
    """The processes that have the order of this sandbox's training as their last argument, and run it themselves."""
    order = str(sandbox.folder / "work")
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            argv = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
            if len(argv) > 3 and argv[1].endswith(b"start.py") and order.encode() in argv[3]:
                yield int(folder.name)


def test_a_label_that_the_model_does_not_know_is_found_in_the_whole_data_before_the_training(real: Sandbox) -> None:
    rows = reviews(40)
    rows[33]["label"] = "meh"
    write_rows(real.folder / "eval.jsonl", *rows)
    with pytest.raises(JobFailed, match=r"row 34 of .*eval\.jsonl has the label 'meh'.*knows negative, positive"):
        real.run(eval_dataset="./eval.jsonl")
    assert "initialize model" not in real.log()


def test_a_hub_that_cannot_be_reached_is_told_at_once_with_the_place_of_the_cache(
    real: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(JobFailed) as failed:
        real.run(model_name="iic/some-model")
    message = str(failed.value)
    assert "ModelScope's hub cannot give the model 'iic/some-model': http://127.0.0.1:9 does not answer" in message
    assert str(real.folder / "cache") in message


def test_a_model_in_the_cache_is_taken_without_the_hub_and_a_trainer_that_there_is_not_is_told(
    real: Sandbox, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJSANDBOX_OFFLINE", "1")
    cached = real.folder / "cache" / "models" / "owner--tiny" / "snapshots" / "master"
    shutil.copytree(tiny_bert, cached)
    # which is looked for when there is a model
    with pytest.raises(JobFailed, match=r"ModelScope has no trainer 'nlp-base-train'[\s\S]*did you mean nlp-base-trainer"):
        real.run(model_name="owner/tiny", trainer_name="nlp-base-train")
    assert f"DJSANDBOX_OFFLINE forbids the network; taking the model from the cache: {cached}" in real.log()


def test_the_trainers_that_we_know_are_those_of_modelscope(made: Made) -> None:
    assert made.trainers == TRAINER_NAMES


def infer(model: Path, torch_env: Path, folder: Path, rows: list[dict[str, Any]], **changes: Any) -> Any:
    """What the model says of the rows."""
    block = {"task": "text-classification", "model": str(model), **changes}
    environment = environment_for(MODELSCOPE, manager="existing", params={"path": str(torch_env), "check": False})
    context = JobContext(work_dir=folder / "job", environment=environment)
    component = ModelscopeInferProbeExecutor(ModelscopeInferProbeExecutor.Config(**block)).attach(context)
    return asyncio.run(component.run("infer_on_data", rows))


def test_results_come_in_the_order_of_the_samples_in_batches_too(tiny_bert: Path, torch_env: Path, tmp_path: Path) -> None:
    rows = [{"body": f"the film was {word}", "label": "positive"} for word in ("bad", "good", "awful", "bad", "great")]
    changes = {"key_remapping": {"body": "text"}, "label_key": "label", "device": "cpu"}
    found = infer(tiny_bert, torch_env, tmp_path, rows, **changes, batch_size=2)
    assert [set(result) for result in found] == [{"labels", "scores", "predicted", "score", "confidence", "loss"}] * 5
    assert found[0]["loss"] == pytest.approx(found[3]["loss"], abs=1e-6)
    assert len({round(result["loss"], 6) for result in found}) == 4


def test_a_sample_without_the_input_is_told_by_its_number(tiny_bert: Path, torch_env: Path, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"sample 2 has no 'text', only body"):
        infer(tiny_bert, torch_env, tmp_path, [{"text": "the film"}, {"body": "the film"}])
