"""The stand-in refuses what the tool refuses, and writes and prints what it does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from djsandbox_easyanimate.checkpoints import checkpoints, problem_with
from djsandbox_easyanimate.testing import FAULT


@pytest.fixture
def tool(place: Any) -> Any:
    place.metadata()
    return place.tool


def call(tool: Any, home: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{tool.env}/bin:{os.environ['PATH']}", "WANDB_MODE": "offline", **variables}
    return subprocess.run(argv, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=60)


def legacy_training(tool: Any, out: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    meta = str(Path("data.json").absolute())
    words = (str(tool.model), str(tool.transformer), "", meta, "256", "bf16", "8", "1", "2", "8", "42", str(out), "p", "e")
    return call(tool, tool.legacy, "bash", "train_lora.sh", *words, **variables)


def legacy_inference(tool: Any, out: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    model = (str(tool.model), str(tool.transformer), str(tool.transformer))
    words = (*model, "256", str(tool.prompts), "2", "8", "bf16", "2", "43", str(out))
    return call(tool, tool.legacy, "bash", "infer_lora.sh", *words, **variables)


def current_training(tool: Any, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    script = ("--mixed_precision=bf16", "scripts/train_lora.py", f"--pretrained_model_name_or_path={tool.model}")
    data = (f"--train_data_meta={Path('data.json').absolute()}", f"--output_dir={out}", "--num_train_epochs=1")
    config = "--config_path=config/easyanimate_video_v5.1_magvit_qwen.yaml"
    return call(tool, tool.home, "accelerate", "launch", *script, *data, config, "--train_batch_size=4", *more)


def test_the_old_training_writes_a_checkpoint_named_after_its_last_step_and_redraws_its_bar(tool: Any, tmp_path: Path) -> None:
    done = legacy_training(tool, tmp_path / "out")
    assert done.returncode == 0
    (found,) = checkpoints(tmp_path / "out")
    assert (found.step, found.path.name, problem_with(found.path)) == (6, "checkpoint-6.safetensors", None)
    assert "\rSteps: 100%" in done.stderr.replace("\n", "\r") and "step_loss=" in done.stderr
    assert "Total optimization steps = 6" in done.stderr


def test_the_old_training_fails_without_a_key_for_wandb_unless_it_is_offline(tool: Any, tmp_path: Path) -> None:
    done = legacy_training(tool, tmp_path / "out", WANDB_MODE="online")
    assert done.returncode != 0 and "api_key not configured" in done.stderr


def test_the_old_training_refuses_a_hub_name_and_json_lines_in_a_json_file(tool: Any, tmp_path: Path) -> None:
    Path("data.json").write_text('{"videos": ["x"], "text": "a"}\n{"videos": ["x"], "text": "b"}\n')
    assert "JSONDecodeError" in legacy_training(tool, tmp_path / "out").stderr


def test_the_old_inference_always_ends_with_exit_code_0(tool: Any, tmp_path: Path) -> None:
    assert legacy_inference(tool, tmp_path / "all").returncode == 0
    assert len(list((tmp_path / "all").glob("*-[01].mp4"))) == 8
    crashed = legacy_inference(tool, tmp_path / "none", **{FAULT: "crash-midway"})
    assert crashed.returncode == 0 and "RuntimeError" in crashed.stderr
    assert not list((tmp_path / "none").glob("*.mp4"))


def test_a_prompt_with_a_slash_breaks_the_old_inference(tool: Any, tmp_path: Path) -> None:
    tool.prompts.write_text(json.dumps([{"prompt_en": "24/7"}]))
    assert "No such file or directory" in legacy_inference(tool, tmp_path / "out").stderr


def test_the_current_training_reads_no_video_unless_video_repeat_says_so(tool: Any, tmp_path: Path) -> None:
    assert "checkpoint-0.safetensors" in current_training(tool, tmp_path / "none").stdout
    assert "checkpoint-6.safetensors" in current_training(tool, tmp_path / "six", "--video_repeat=1").stdout


def test_the_current_training_saves_states_in_folders(tool: Any, tmp_path: Path) -> None:
    done = current_training(tool, tmp_path / "out", "--video_repeat=1", "--save_state", "--checkpointing_steps=2")
    assert done.returncode == 0
    assert [one.path.relative_to(tmp_path / "out").as_posix() for one in checkpoints(tmp_path / "out")] == [
        "checkpoint-2/lora_diffusion_pytorch_model.safetensors",
        "checkpoint-4/lora_diffusion_pytorch_model.safetensors",
        "checkpoint-6.safetensors",
    ]


@pytest.mark.parametrize("wrong", ["--sample_size=256", "--tracker_experiment_name=x"])
def test_the_current_training_refuses_what_only_the_old_one_had(tool: Any, tmp_path: Path, wrong: str) -> None:
    done = current_training(tool, tmp_path / "out", wrong)
    assert done.returncode == 2 and "unrecognized arguments" in done.stderr


def test_without_the_type_video_the_current_training_reads_videos_as_images(tool: Any, tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "type"} for row in json.loads(Path("data.json").read_text())]
    Path("data.json").write_text(json.dumps(rows))
    done = current_training(tool, tmp_path / "out", "--video_repeat=1")
    assert done.returncode != 0 and "cannot identify image file" in done.stderr


def test_an_unknown_way_to_fail_is_refused(tool: Any, tmp_path: Path) -> None:
    assert "is none of" in legacy_training(tool, tmp_path / "out", **{FAULT: "explode"}).stderr
