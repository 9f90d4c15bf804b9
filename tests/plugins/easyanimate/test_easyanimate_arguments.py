"""The command lines that the tool gets."""

from __future__ import annotations

from typing import Any

import pytest
from djsandbox_easyanimate.train_task import with_port
from djsandbox_easyanimate.trainer import EasyAnimateTrainer
from djsandbox_easyanimate.training_arguments import Training, current_arguments, legacy_arguments

ONE = Training("train", "data.json", "out", "easyanimate")


def block(place: Any, version: str, **changed: Any) -> Any:
    extra = {key: value for key, value in place.training(version, **changed).items() if key != "type"}
    return EasyAnimateTrainer.Config.model_validate(extra).train


def test_the_old_script_gets_fourteen_words_with_whole_paths(place: Any) -> None:
    words = legacy_arguments(block(place, "legacy", num_train_epochs=2), ONE)
    folder = str(place.folder)
    assert words == [
        str(place.tool.model),
        str(place.tool.transformer),
        "",
        f"{folder}/data.json",
        *("256", "bf16", "4", "1", "2", "8", "42"),
        f"{folder}/out/.unfinished",
        *("djsandbox", "easyanimate"),
    ]


def test_the_current_script_gets_its_own_official_values_unless_others_are_asked_for(place: Any) -> None:
    words = current_arguments(block(place, "current", rank=64, extra_arguments=["--random_ratio_crop"]), ONE, 1)
    at = words.index("scripts/train_lora.py")
    assert words[:at] == ["--mixed_precision=bf16", "--num_processes=1", "--num_machines=1", "--dynamo_backend=no"]
    official = {"--image_sample_size=1024", "--video_sample_size=256", "--token_sample_size=512", "--video_sample_stride=3"}
    official |= {"--video_sample_n_frames=49", "--video_repeat=1", "--checkpointing_steps=100", "--learning_rate=0.0001"}
    official |= {"--loss_type=flow", "--max_grad_norm=0.05", "--adam_weight_decay=0.05", "--adam_epsilon=1e-10", "--low_vram"}
    assert official | {"--rank=64", "--network_alpha=64", "--train_mode=normal"} <= set(words[at:])
    assert words[-1] == "--random_ratio_crop" and not any(word.startswith("--max_train_steps") for word in words)


@pytest.mark.parametrize(
    ("use_deepspeed", "expected"),
    [
        (False, ["--multi_gpu"]),
        (True, ["--use_deepspeed", "--deepspeed_config_file=config/zero_stage2_config.json"]),
    ],
)
def test_several_gpus_are_as_many_processes_at_a_free_port(place: Any, use_deepspeed: bool, expected: list[str]) -> None:
    words = current_arguments(block(place, "current", use_deepspeed=use_deepspeed), ONE, 4)
    launch = words[: words.index("scripts/train_lora.py")]
    assert set(launch) >= {"--num_processes=4", "--main_process_port={free_port}", *expected}
    assert ("--use_deepspeed" in words[len(launch) :]) == use_deepspeed


def test_a_port_is_chosen_when_the_training_begins() -> None:
    first, second = (with_port(["a", "--main_process_port={free_port}"])[1] for _ in range(2))
    ports = [int(word.removeprefix("--main_process_port=")) for word in (first, second)]
    assert all(1024 <= port < 65536 for port in ports) and with_port(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("config", "loss"),
    [
        ("config/easyanimate_video_v5.1_magvit_qwen.yaml", "flow"),
        ("config/easyanimate_video_v5_magvit_multi_text_encoder.yaml", "ddpm"),
        ("config/easyanimate_video_v4_slicevae_multi_text_encoder.yaml", "ddpm"),
        ("config/easyanimate_video_v3_slicevae_motion_module.yaml", "sigma"),
        ("config/easyanimate_video_v1_motion_module.yaml", "sigma"),
    ],
)
def test_the_loss_is_that_of_the_models_generation(place: Any, config: str, loss: str) -> None:
    assert f"--loss_type={loss}" in current_arguments(block(place, "current", config_path=config), ONE, 1)
    asked = block(place, "current", config_path=config, loss_type="sigma")
    assert "--loss_type=sigma" in current_arguments(asked, ONE, 1)
