"""Several datasets and several LoRAs: a task for each, side by side, and resumed one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import ConfigError, JobFailed
from djsandbox_easyanimate.naming import names_of_datasets, names_of_models


def training(place: Any, version: str = "current", fault: str = "", sizes: tuple[int, ...] = (8, 16), **more: Any) -> str:
    """A config that trains on a pool of each size."""
    pools = [place.metadata(rows, f"pool_{rows}_ea_fmt.json") for rows in sizes]
    extra = {**place.training(version, fault), **more}
    extra["train"]["dataset_path"]["dataset_meta_name"] = pools
    return str(place.config("TrainModelHook", extra))


def journal(event: str) -> list[Any]:
    records = [json.loads(line) for line in Path("work/journal.jsonl").read_text().splitlines()]
    return [one for one in records if one["event"] == event]


@pytest.mark.parametrize("version", ["legacy", "current"])
def test_a_model_is_trained_on_each_dataset_into_a_folder_called_after_it(place: Any, version: str) -> None:
    result = djsandbox.run(training(place, version)).context["anonymous"][0]["result"]
    assert result == ["out/models/pool_8/checkpoint-2.safetensors", "out/models/pool_16/checkpoint-4.safetensors"]
    assert Path(result[0]).read_bytes() != Path(result[1]).read_bytes()
    records = [json.loads(line) for line in Path("work/metrics.jsonl").read_text().splitlines()]
    names = {one["name"] for one in records if one.get("name", "").endswith("step_loss")}
    assert names == {"job.pool_8.step_loss", "job.pool_16.step_loss"}


def test_of_several_trainings_only_those_that_failed_run_again(place: Any) -> None:
    config = training(place, on_failure="finish_others")
    blocked = Path("out/models/pool_16/djsandbox_training.json")
    blocked.mkdir(parents=True)  # cannot be replaced by a file
    with pytest.raises(JobFailed, match="pool_16"):
        djsandbox.run(config)
    first = Path("out/models/pool_8/checkpoint-2.safetensors")
    written = first.stat().st_mtime_ns
    blocked.rmdir()
    djsandbox.run(config, resume=True)
    assert first.stat().st_mtime_ns == written and Path("out/models/pool_16/checkpoint-4.safetensors").is_file()


@pytest.mark.slow
def test_trainings_run_beside_each_other_where_gpus_allow(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    djsandbox.run(training(place, fault="slow", sizes=(8, 12), launcher={"type": "local", "cpus": 2}))
    events = [(one["event"], one.get("task")) for one in journal("task_started") + journal("task_finished")]
    assert len(events) == 4
    order = [json.loads(line)["event"] for line in Path("work/journal.jsonl").read_text().splitlines()]
    tasks = [event for event in order if event in ("task_started", "task_finished")]
    assert tasks == ["task_started", "task_started", "task_finished", "task_finished"]


def test_each_training_of_the_old_version_has_a_name_of_its_own_on_wandb(place: Any) -> None:
    config = training(place, "legacy")
    djsandbox.run(config)
    logs = "".join(path.read_text() for path in Path("work").rglob("*.json*"))
    assert all(f"easyanimate-pool_{size}" in logs for size in (8, 16))


def test_a_dataset_or_a_lora_that_stands_twice_is_told_of(place: Any) -> None:
    config = training(place, sizes=(8, 8))
    with pytest.raises(ConfigError, match=r"'pool_8_ea_fmt.json' stands there twice"):
        djsandbox.validate(config)
    extra = place.inference()
    extra["train"]["model_path"]["lora_path"] = [str(place.tool.transformer)] * 2
    with pytest.raises(ConfigError, match="stands there twice: its videos would be generated twice"):
        djsandbox.validate(place.config("InferModelHook", extra))


def test_what_is_wrong_with_one_of_several_datasets_is_told_at_its_line(place: Any) -> None:
    config = training(place)
    Path("pool_16_ea_fmt.json").write_text("[]")
    with pytest.raises(ConfigError) as failed:
        djsandbox.validate(config)
    (problem,) = [one for one in failed.value.problems if one.severity == "error"]
    assert problem.message == "'pool_16_ea_fmt.json' names no video" and problem.where is not None
    assert Path(config).read_text().splitlines()[problem.where.line - 1].strip() == "- pool_16_ea_fmt.json"


@pytest.mark.parametrize("version", ["legacy", "current"])
@pytest.mark.parametrize("parts", [1, 2])
def test_the_models_of_several_trainings_are_handed_on_by_reference(place: Any, version: str, parts: int) -> None:
    config = training(place, version)
    infer = place.inference(version, gpu_num=parts)
    infer["train"]["model_path"]["lora_path"] = "<replaced_by_the_trainings>"
    second = {
        "hook": "InferModelHook",
        "meta_name": "infer",
        "input": {"extra_configs.train.model_path.lora_path": "anonymous.job.result"},
        "output": "videos",
        "extra_configs": infer,
    }
    text = Path(config).read_text() + f"evaluation_job_configs: {json.dumps([second])}\n"
    Path(config).write_text(text)
    found = djsandbox.run(config).context["anonymous"][1]["videos"]
    assert found == ["out/videos/pool_8", "out/videos/pool_16"]
    videos = [{path.name: path.read_bytes() for path in Path(folder).iterdir()} for folder in found]
    assert [len(one) for one in videos] == [8, 8] and set(videos[0]) == set(videos[1])
    assert not set(videos[0].values()) & set(videos[1].values())  # they are of different models
    assert len([one for one in journal("task_finished") if "pool" in one["task"]]) == 2 + 2 * parts


def test_names_tell_datasets_and_models_apart() -> None:
    assert names_of_datasets(["a/high_ea_fmt.json", "a/low.json"]) == ["high", "low"]
    assert names_of_datasets(["a/x_ea_fmt.json", "b/x_ea_fmt.json", "b/y.json"]) == ["a_x", "b_x", "y"]
    assert names_of_models(["m/high/checkpoint-2.safetensors", "m/low/checkpoint-3.safetensors"]) == ["high", "low"]
    assert names_of_models(["m/checkpoint-2.safetensors", "m/checkpoint-3.safetensors"]) == ["checkpoint-2", "checkpoint-3"]
    assert names_of_models(["a/m/c.safetensors", "/b/m/c.safetensors"]) == ["a_m", "b_m"]
