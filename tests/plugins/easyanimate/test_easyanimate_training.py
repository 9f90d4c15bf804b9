from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobFailed
from djsandbox_easyanimate.checkpoints import problem_with
from djsandbox_easyanimate.testing import FAULT
from djsandbox_easyanimate.trainer import EasyAnimateTrainer

VERSIONS = ("legacy", "current")


def metrics(name: str) -> list[tuple[int, float]]:
    records = [json.loads(line) for line in Path("work/metrics.jsonl").read_text().splitlines()]
    return [(one["step"], one["value"]) for one in records if one.get("name", "").endswith(name)]


def train(place: Any, version: str = "current", fault: str = "", **changed: Any) -> Any:
    place.metadata()
    result = djsandbox.run(place.config("TrainModelHook", place.training(version, fault, **changed)))
    return result.context["anonymous"][0]["result"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_training_gives_its_last_checkpoint_and_its_metrics(place: Any, version: str) -> None:
    checkpoint = train(place, version, num_train_epochs=2)
    assert checkpoint == "out/models/checkpoint-12.safetensors" and problem_with(Path(checkpoint)) is None
    assert [step for step, _ in metrics(".train.step_loss")] == list(range(1, 13))
    assert metrics(".train.epoch")[-1] == (12, 2.0)
    assert metrics(".train.lr")[0] == (1, 2e-05 if version == "legacy" else 0.0001)
    assert not Path("out/models/.unfinished").exists()


def test_of_several_checkpoints_the_one_with_the_highest_number_is_taken(place: Any) -> None:
    assert train(place, checkpointing_steps=1, batch_size_per_gpu=2).endswith("checkpoint-12.safetensors")
    manifest = json.loads(Path("out/models/djsandbox_training.json").read_text())
    assert list(manifest["checkpoints"]) == [str(step) for step in range(1, 13)]


def test_states_are_kept_where_asked_for(place: Any) -> None:
    place.metadata()
    extra = place.training(checkpointing_steps=2)
    extra["train"]["saving_config"]["save_state"] = True
    djsandbox.run(place.config("TrainModelHook", extra))
    assert Path("out/models/checkpoint-4/lora_diffusion_pytorch_model.safetensors").is_file()


def test_a_checkpoint_that_was_there_before_is_no_result(place: Any) -> None:
    Path("out/models").mkdir(parents=True)
    Path("out/models/checkpoint-9999.safetensors").write_bytes(b"of somebody else")
    assert train(place).endswith("checkpoint-6.safetensors")
    assert Path("out/models/checkpoint-9999.safetensors").exists()


def test_the_checkpoints_of_the_training_before_are_taken_away(place: Any) -> None:
    assert train(place, num_train_epochs=2).endswith("checkpoint-12.safetensors")
    assert train(place).endswith("checkpoint-6.safetensors")
    assert not Path("out/models/checkpoint-12.safetensors").exists()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("exit-0-nothing", "left no checkpoint"),
        ("old-results", "left no checkpoint"),
        ("missing-results", "left no checkpoint"),
        ("crash-midway", "Expected all tensors to be on the same device"),
        ("cuda-oom", "CUDA out of memory"),
        ("killed", "exit code 137"),
        ("nan-loss", "the loss is nan"),
        ("empty-results", "is empty"),
        ("cut-results", "is cut off"),
    ],
)
def test_no_way_to_fail_passes_for_success(place: Any, version: str, fault: str, message: str) -> None:
    with pytest.raises(JobFailed) as failed:
        train(place, version, fault)
    assert message in str(failed.value)


def test_a_loss_that_is_nan_is_seen_while_it_trains(place: Any) -> None:
    with pytest.raises(JobFailed):
        train(place, fault="nan-loss", num_train_epochs=1)
    values = dict(metrics(".train.step_loss"))
    assert list(values) == [1, 2, 3, 4, 5, 6]
    assert [step for step, value in values.items() if "nan" in json.dumps(value)] == [4, 5, 6]


def test_what_the_tool_prints_is_in_the_log_of_the_task(place: Any) -> None:
    train(place)
    logs = "".join(path.read_text() for path in Path("work/logs").rglob("*") if path.is_file())
    assert "Total optimization steps = 6" in logs and "saving checkpoint: " in logs


def test_a_training_without_a_full_batch_fails_instead_of_giving_an_untrained_model(place: Any) -> None:
    config = place.config("TrainModelHook", place.training())
    place.metadata(rows=3)
    with pytest.raises(djsandbox.ConfigError, match="fill no batch"):
        djsandbox.validate(config)
    extra = place.training(gradient_accumulation_steps=1, num_train_epochs=2, batch_size_per_gpu=6)
    assert (
        djsandbox.run(place.config("TrainModelHook", extra))
        .context["anonymous"][0]["result"]
        .endswith("checkpoint-1.safetensors")
    )


def test_a_finished_training_is_not_repeated_on_resume(place: Any) -> None:
    first = train(place)
    written = os.stat(first).st_mtime_ns
    result = djsandbox.run("sandbox.yaml", resume=True)
    assert result.context["anonymous"][0]["result"] == first and os.stat(first).st_mtime_ns == written
    place.metadata(rows=20)
    djsandbox.run("sandbox.yaml", resume=True)
    assert json.loads(Path("out/models/djsandbox_training.json").read_text())["step"] == 5


def test_what_only_names_things_or_places_does_not_make_it_run_again(place: Any) -> None:
    train(place)
    renamed = {**place.training(), "model_name": "x", "trainer_name": "y", "retries": 2, "timeout": 600.0}
    (job,) = djsandbox.plan(place.config("TrainModelHook", renamed), resume=True).jobs
    assert job.action == "reuse"


def test_wandb_is_offline_unless_there_is_a_key(place: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert train(place, "legacy").endswith(".safetensors")  # the stand-in refuses to be online without a key
    from djsandbox_easyanimate.wandb_settings import wandb_variables

    assert wandb_variables({}, "w")["WANDB_MODE"] == "offline"
    assert "WANDB_MODE" not in wandb_variables({"WANDB_API_KEY": "k"}, "w")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert "WANDB_MODE" not in wandb_variables({}, "w")


def test_the_number_of_gpus_is_that_of_the_machine_and_part_of_the_key(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = place.training("legacy", batch_size_per_gpu=4)
    del extra["train"]["training_config"]["gpu_num"]
    place.metadata()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    djsandbox.run(place.config("TrainModelHook", extra))
    assert json.loads(Path("out/models/djsandbox_training.json").read_text())["step"] == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    (job,) = djsandbox.plan("sandbox.yaml", resume=True).jobs
    assert job.action == "run"


def test_a_training_on_several_gpus_is_launched_with_as_many_processes(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert train(place, batch_size_per_gpu=2, gpu_num=2).endswith("checkpoint-6.safetensors")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Steps:  50%|█████     | 1/2 [00:10<00:10, 10.00s/it, lr=2e-5, step_loss=0.123]",
            (1, {"lr": 2e-05, "step_loss": 0.123}),
        ),
        ("\x1b[32mSteps: 100%|██| 2/2 [00:20<00:00, lr=1e-4, step_loss=1.5e-2]\x1b[0m", (2, {"lr": 1e-4, "step_loss": 0.015})),
        ("Steps:   0%|          | 0/2 [00:00<?, ?it/s]", None),
        ("100%|██████████| 30/30 [00:03<00:00,  9.1it/s]", None),
        ("07/24/2024 14:01:35 - INFO - __main__ -   Num examples = 16", None),
    ],
)
def test_metrics_are_read_from_bars(line: str, expected: Any) -> None:
    from djsandbox_easyanimate.progress import Progress

    assert Progress().read(line) == expected


def test_a_sweep_may_end_trainings_early_by_their_loss(place: Any) -> None:
    config = EasyAnimateTrainer.Config.model_validate({k: v for k, v in place.training().items() if k != "type"})
    assert EasyAnimateTrainer(config).intermediate_metrics() == ("*.step_loss",)


def test_the_fault_reaches_the_tool_through_env_params(place: Any) -> None:
    assert place.training(fault="slow")["env_params"]["variables"] == {FAULT: "slow"}
