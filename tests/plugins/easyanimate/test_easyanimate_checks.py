"""What is wrong is told by `validate`, at its place in the config, before a GPU is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import ConfigError


def problems(config: str) -> list[tuple[str, str, str]]:
    """Severity, line as it is in the config, and message of each."""
    try:
        found = list(djsandbox.validate(config))
    except ConfigError as error:
        found = list(error.problems)
    lines = Path(config).read_text().splitlines()
    return [(one.severity, lines[one.where.line - 1].strip() if one.where else "", one.message) for one in found]


def errors(config: str) -> list[tuple[str, str]]:
    return [(line, message) for severity, line, message in problems(config) if severity == "error"]


def with_changes(extra: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for dotted, value in changes.items():
        inner, keys = extra, dotted.split(".")
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = value
    return extra


@pytest.mark.parametrize(
    ("version", "changes", "line", "message"),
    [
        ("current", {"easyanimate_home": "nowhere"}, "easyanimate_home: nowhere", "'nowhere' does not exist"),
        ("current", {"easyanimate_home": "."}, "easyanimate_home: .", "'.' is no checkout of EasyAnimate's legacy version"),
        ("legacy", {"version": "current"}, "easyanimate_home:", "is a checkout of the legacy version of EasyAnimate"),
        ("current", {"version": "legacy"}, "easyanimate_home:", "is a checkout of the current version of EasyAnimate"),
        ("current", {"version": "newest"}, "version: newest", "'legacy' or 'current'"),
        (
            "current",
            {"train.model_path.pretrained_model_name_or_path": "/PATH/TO/M"},
            "pretrained_model_",
            "placeholder '/PATH/TO/M'",
        ),
        ("current", {"train.model_path.pretrained_model_name_or_path": "./no/where"}, "pretrained_model_", "does not exist"),
        ("current", {"train.model_path.pretrained_model_name_or_path": "tool/data"}, "pretrained_model_", "is no base model"),
        ("legacy", {"train.model_path.transformer_path": None}, "transformer_path: null", "needs the weights"),
        ("legacy", {"train.model_path.transformer_path": "/PATH/TO/M"}, "transformer_path:", "'/PATH/TO/M' does not exist"),
        ("current", {"train.dataset_path.dataset_meta_name": "no.json"}, "dataset_meta_name:", "'no.json' does not exist"),
        ("current", {"train.dataset_path.dataset_name": "videos"}, "dataset_name: videos", "'videos' does not exist"),
        ("current", {"train.training_config.mixed_precision": "fp8"}, "mixed_precision: fp8", "one of no, fp16, bf16"),
        ("current", {"train.training_config.batch_size_per_gpu": 0}, "batch_size_per_gpu: 0", "greater than or equal to 1"),
        ("current", {"train.training_config.num_train_epoch": 2}, "num_train_epoch: 2", "num_train_epoch"),
        ("current", {"train.training_config.sample_size": 256}, "sample_size: 256", "version 'current' of EasyAnimate has no"),
        (
            "legacy",
            {"train.training_config.learning_rate": 1.0},
            "learning_rate: 1.0",
            "version 'legacy' of EasyAnimate has no",
        ),
        ("legacy", {"train.saving_config.save_state": True}, "save_state: true", "keeps no states"),
        ("legacy", {"train.tracker_config.experiment_name": "two words"}, "experiment_name: two words", "split 'two words'"),
        ("current", {"train.training_config.config_path": "config/v9.yaml"}, "config_path:", "there is no 'config/v9.yaml'"),
    ],
)
def test_a_training_that_cannot_work(place: Any, version: str, changes: dict[str, Any], line: str, message: str) -> None:
    place.metadata()
    found = errors(place.config("TrainModelHook", with_changes(place.training(version), changes)))
    assert any(message in text and line in where for where, text in found), found


@pytest.mark.parametrize(
    ("version", "changes", "line", "message"),
    [
        ("current", {"train.model_path.lora_path": "out/x.safetensors"}, "lora_path:", "'out/x.safetensors' does not exist"),
        ("legacy", {"train.model_path.lora_path": None}, "lora_path: null", "needs the LoRA"),
        ("legacy", {"train.infer_config.fps": 8}, "fps: 8", "version 'legacy' of EasyAnimate has no 'fps'"),
        ("legacy", {"train.infer_config.image_size": [256, 384]}, "image_size:", "square videos only"),
        ("current", {"train.infer_config.mixed_precision": "int8"}, "mixed_precision: int8", "one of no, fp16, bf16"),
        ("current", {"train.infer_config.prompt_info_path": "no.json"}, "prompt_info_path:", "'no.json' does not exist"),
        ("current", {"train.infer_config.config_path": "config/v9.yaml"}, "config_path:", "there is no 'config/v9.yaml'"),
        ("current", {"train.infer_config.sampler": "Heun"}, "sampler: Heun", "Euler"),
    ],
)
def test_an_inference_that_cannot_work(place: Any, version: str, changes: dict[str, Any], line: str, message: str) -> None:
    found = errors(place.config("InferModelHook", with_changes(place.inference(version), changes)))
    assert any(message in text and line in where for where, text in found), found


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([{"prompt": "a"}], "prompt 1 of .* has no 'prompt_en'"),
        ([{"prompt_en": "a"}, {"prompt_en": "cars, 24/7"}], "has a '/'.*cars, 24/7"),
        ([{"prompt_en": "猫" * 90}], "too long for the name of a file"),
        ([{"prompt_en": "two\nlines"}], "line break"),
        ([], "there is no prompt"),
    ],
)
def test_prompts_that_no_file_can_be_called_after(place: Any, prompts: list[Any], message: str) -> None:
    import re

    place.tool.prompts.write_text(json.dumps(prompts))
    ((where, text),) = errors(place.config("InferModelHook", place.inference()))
    assert "prompt_info_path" in where and re.search(message, text)


@pytest.mark.parametrize("manager", ["existing", "uv"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"easyanimate_home": "no/where"}, "'no/where' does not exist, and no earlier job writes it"),
        ({"easyanimate_home": "no/where", "version": "legacy"}, "'no/where' does not exist, and no earlier job"),
        ({"easyanimate_home": "no/where", "version": "current"}, "'no/where' does not exist, and no earlier job"),
        ({"easyanimate_home": None}, "there is no EasyAnimate at ./thirdparty/models/EasyAnimate, and version 'legacy' cannot"),
        ({"easyanimate_home": "tool"}, "'tool' is no checkout of EasyAnimate's legacy version: it has no train_lora.sh"),
    ],
)
def test_a_missing_checkout_is_told_once_and_hides_what_would_differ_with_its_version(
    place: Any, manager: str, changes: dict[str, Any], message: str
) -> None:
    place.metadata()
    extra = with_changes(place.training("legacy"), changes)
    if manager == "uv":
        extra |= {"env_manager": "uv", "env_params": {}}
    if changes.get("version") == "current":
        del extra["train"]["model_path"]["transformer_path"]
    found = [
        text for _, text in errors(place.config("TrainModelHook", extra)) if "the environment 'easyanimate' needs" not in text
    ]
    assert len(found) == 1 and message in found[0], found


def rewrite(change: Callable[[list[dict[str, Any]]], Any]) -> None:
    rows = json.loads(Path("data.json").read_text())
    Path("data.json").write_text(json.dumps(change(rows)))


@pytest.mark.parametrize(
    ("version", "change", "message"),
    [
        (
            "current",
            lambda rows: [{**rows[0], "file_path": "/no/1.mp4"}, rows[1]],
            "1 of the 2 videos in 'data.json' do not exist",
        ),
        (
            "legacy",
            lambda rows: [{**row, "videos": ["x.mp4"]} for row in rows],
            "24 of the 24 videos in .* the first in row 1: x.mp4",
        ),
        (
            "current",
            lambda rows: [{"text": row["text"], "videos": row["videos"]} for row in rows],
            "row 1 .* has no 'file_path'",
        ),
        (
            "legacy",
            lambda rows: [{"text": row["text"], "file_path": row["file_path"]} for row in rows],
            "row 1 .* has no 'videos'",
        ),
        ("current", lambda rows: [{**row, "type": "image"} for row in rows], "has no 'type: video', and is read as an image"),
        ("current", lambda rows: rows[:3], "names 3 videos, which fill no batch"),
        ("current", lambda rows: [], "names no video"),
        ("current", lambda rows: rows[0], "holds JSON lines"),
        ("legacy", lambda rows: "text", "cannot be read|is no mapping"),
    ],
)
def test_a_dataset_that_points_nowhere(place: Any, version: str, change: Any, message: str) -> None:
    import re

    place.metadata()
    rewrite(change)
    ((where, text),) = errors(place.config("TrainModelHook", place.training(version)))
    assert "dataset_meta_name" in where and re.search(message, text), text


def test_only_the_first_thousand_videos_are_looked_for(place: Any) -> None:
    place.metadata()
    rewrite(lambda rows: [rows[0]] * 1000 + [{**rows[0], "file_path": "/no/1.mp4"}])
    assert errors(place.config("TrainModelHook", place.training())) == []
    rewrite(lambda rows: [{**rows[0], "file_path": "/no/1.mp4"}] * 1001)
    ((_, text),) = errors("sandbox.yaml")
    assert "1000 of the first 1000 videos" in text


def test_relative_videos_begin_at_dataset_name(place: Any) -> None:
    place.metadata()
    rewrite(lambda rows: [{**row, "file_path": Path(row["file_path"]).name} for row in rows])
    assert "do not exist" in errors(place.config("TrainModelHook", place.training()))[0][1]
    extra = with_changes(place.training(), {"train.dataset_path.dataset_name": "tool/data/videos"})
    djsandbox.run(place.config("TrainModelHook", extra))


def test_json_lines_called_so_are_for_the_old_version_only(place: Any) -> None:
    place.metadata()
    rows = json.loads(Path("data.json").read_text())
    Path("data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    extra = with_changes(place.training("legacy"), {"train.dataset_path.dataset_meta_name": "data.jsonl"})
    djsandbox.run(place.config("TrainModelHook", extra))
    extra = with_changes(place.training(), {"train.dataset_path.dataset_meta_name": "data.jsonl"})
    ((_, text),) = errors(place.config("TrainModelHook", extra))
    assert "reads .json and .csv files, not 'data.jsonl'" in text


def test_a_home_with_only_a_part_of_the_patch_is_told_from_a_whole_one(place: Any) -> None:
    place.metadata()
    config = place.config("TrainModelHook", place.training("legacy"))
    (place.tool.legacy / "easyanimate/utils/IDDIM.py").unlink()
    assert any("only a part of the existing sandbox's patch: easyanimate/utils/IDDIM.py" in text for _, text in errors(config))


def test_a_home_whose_loader_does_not_read_videos_lacks_the_patch(place: Any) -> None:
    place.metadata()
    config = place.config("TrainModelHook", place.training("legacy"))
    (place.tool.legacy / "easyanimate/data/dataset_video.py").write_text("video_dict['file_path']")
    assert any("does not read the key 'videos'" in text for _, text in errors(config))


def test_more_gpus_than_there_are_is_an_error_for_a_training_and_a_warning_for_an_inference(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    place.metadata()
    ((where, text),) = errors(place.config("TrainModelHook", place.training(gpu_num=4)))
    assert (where, text) == ("gpu_num: 4", "it asks for 4 GPUs, and there are 2")
    found = problems(place.config("InferModelHook", place.inference(gpu_num=4)))
    assert ("warning", "gpu_num: 4") in [(severity, where) for severity, where, text in found]


def test_without_a_gpu_an_environment_that_is_to_be_made_is_refused_and_a_given_one_warned_of(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    place.metadata()
    given = problems(place.config("TrainModelHook", place.training()))
    assert [severity for severity, _, text in given if "needs a GPU" in text] == ["warning"]
    extra = {**place.training(), "env_manager": "venv", "env_params": {}}
    assert any("needs a GPU" in text for _, text in errors(place.config("TrainModelHook", extra)))


def test_an_in_painting_model_is_warned_of_where_it_is_trained_as_another(place: Any) -> None:
    place.metadata()
    model = place.tool.model.with_name("EasyAnimateV5.1-7b-zh-InP")
    model.symlink_to(place.tool.model)
    extra = with_changes(place.training(), {"train.model_path.pretrained_model_name_or_path": str(model)})
    found = problems(place.config("TrainModelHook", extra))
    assert [text for _, _, text in found if "in-painting" in text] == [
        f"'{str(model).lower()}' is an in-painting model by its name"
    ]


def test_a_hub_name_is_allowed_and_warned_of(place: Any) -> None:
    place.metadata()
    extra = with_changes(
        place.training(), {"train.model_path.pretrained_model_name_or_path": "alibaba-pai/EasyAnimateV5.1-7b-zh"}
    )
    found = problems(place.config("TrainModelHook", extra))
    assert [severity for severity, _, text in found if "hub names fail there" in text] == ["warning"]


def test_what_yaml_makes_of_no_is_a_precision(place: Any) -> None:
    place.metadata()
    assert errors(place.config("TrainModelHook", place.training(mixed_precision=False))) == []
