"""What is wrong with a config is found by validate, at its line, before any GPU time is spent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox_internvl.testing import write_model

GOOD = ["A brown dog resting near the old wall."] * 8


@pytest.fixture
def said(sandbox) -> Any:
    """What validate says of a job, and that each error names the file and the line of a key."""

    def validate(job: dict[str, Any], *, at: str | None = None, errors: bool = True, alone: bool = True) -> str:
        path: Path = sandbox(job)
        if not errors:
            return "\n".join(str(problem) for problem in djsandbox.validate(path))
        with pytest.raises(djsandbox.ConfigError) as caught:
            djsandbox.validate(path)
        problems = [problem for problem in caught.value.problems if problem.severity == "error"]
        assert len(problems) == 1 or not alone, [str(problem) for problem in problems]
        if at is not None:
            lines = path.read_text(encoding="utf-8").splitlines()
            where = problems[0].where
            assert where is not None and where.file == str(path) and at in lines[where.line - 1], str(problems[0])
        return str(problems[0])

    return validate


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine that has so many GPUs, as far as nvidia-smi tells."""

    def have(count: int) -> None:
        program = tmp_path / "driver" / "nvidia-smi"
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n" + "".join(f"echo 'GPU {at}: Some Card (UUID: GPU-{at})'\n" for at in range(count)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return have


def test_a_home_that_is_not_there(said, train_job, captions) -> None:
    assert "'/nowhere/InternVL' does not exist" in said(
        train_job([captions("a", GOOD)], internvl_home="/nowhere/InternVL"), at="internvl_home"
    )


def test_a_home_that_is_not_there_for_an_evaluation(said, evaluate_job, chat) -> None:
    job = evaluate_job(ckpt_paths=[_model(chat)], internvl_home="/nowhere/InternVL")
    assert "'/nowhere/InternVL' does not exist" in said(job, at="internvl_home")


def test_a_home_among_the_params_of_the_environment_that_is_not_there(said, train_job, captions) -> None:
    job = train_job([captions("a", GOOD)])
    del job["extra_configs"]["internvl_home"]
    job["extra_configs"]["env_params"]["homes"] = {"internvl": "/nowhere/InternVL"}
    assert "there is no folder /nowhere/InternVL" in said(job, at="internvl: /nowhere")


def test_a_home_that_is_no_checkout(said, train_job, captions, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    message = said(train_job([captions("a", GOOD)], internvl_home=str(tmp_path / "empty")), at="internvl_home")
    assert "is no checkout of InternVL: it has no internvl_chat/internvl/train/internvl_chat_finetune.py" in message


def test_no_home_with_an_environment_of_ones_own(said, train_job, captions) -> None:
    job = train_job([captions("a", GOOD)])
    del job["extra_configs"]["internvl_home"]
    assert "nothing says where InternVL is" in said(job, at="env_manager")


def test_more_gpus_than_there_are(said, train_job, captions, gpus) -> None:
    gpus(2)
    message = said(train_job([captions("a", GOOD)], num_gpus=4, global_batch_size=512), at="num_gpus")
    assert "'num_gpus' is 4, and this machine has 2" in message


def test_only_gpus_that_may_be_used_count(said, train_job, captions, gpus, monkeypatch) -> None:
    gpus(4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    assert "this machine has 2" in said(train_job([captions("a", GOOD)], num_gpus=4, global_batch_size=512), at="num_gpus")


def test_more_gpus_than_there_are_for_an_evaluation(said, evaluate_job, chat, gpus) -> None:
    gpus(1)
    model = _model(chat)
    assert "this machine has 1" in said(evaluate_job(ckpt_paths=[model], num_gpus=8), at="num_gpus")


def test_no_gpu_is_a_warning_with_an_environment_of_ones_own(said, train_job, captions, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "needs a GPU" in said(train_job([captions("a", GOOD)]), errors=False)


def test_no_gpu_is_an_error_with_an_environment_that_would_be_made(sandbox, train_job, captions, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    job = train_job([captions("a", GOOD)], env_manager="uv", env_params={"env_py_version": 3.9})
    with pytest.raises(djsandbox.ConfigError, match="needs a GPU, and there is none that may be used"):
        djsandbox.validate(sandbox(job))


@pytest.mark.parametrize(("num_gpus", "batch"), [(3, 4), (8, 5), (8, 128), (1, 513)])
def test_batch_sizes_that_do_not_divide_512(num_gpus, batch, said, train_job, captions) -> None:
    keys = {"num_gpus": num_gpus, "batch_size_per_device": batch, "global_batch_size": 512}
    message = said(train_job([captions("a", GOOD)], **keys), at="num_gpus" if num_gpus == 3 else "batch_size_per_device")
    assert "does not divide the global batch of 512" in message


@pytest.mark.parametrize(
    ("keys", "fix"),
    [
        ({"num_gpus": 8, "batch_size_per_device": 5}, "batch_size_per_device: 4,"),
        ({"num_gpus": 8, "batch_size_per_device": 128}, "batch_size_per_device: 64,"),
        ({"num_gpus": 3, "batch_size_per_device": 4}, "set num_gpus to a divisor of the global batch"),
    ],
)
def test_what_would_divide_is_said(keys, fix, said, train_job, captions) -> None:
    assert fix in said(train_job([captions("a", GOOD)], global_batch_size=512, **keys))


def test_another_global_batch_may_divide_where_512_does_not(said, train_job, captions) -> None:
    job = train_job([captions("a", GOOD)], num_gpus=3, batch_size_per_device=4, global_batch_size=384)
    assert "divide" not in said(job, errors=False)


def test_all_that_is_wrong_is_said_at_once(sandbox, train_job, captions) -> None:
    keys = {"num_gpus": 3, "global_batch_size": 512, "conv_style_or_scale": "3B", "deepspeed": "zero_stage9.json"}
    with pytest.raises(djsandbox.ConfigError) as caught:
        djsandbox.validate(sandbox(train_job([captions("a", GOOD)], **keys)))
    assert len([one for one in caught.value.problems if one.severity == "error"]) == 3


def test_batch_sizes_that_do_not_divide_on_all_gpus_there_are(said, train_job, captions, gpus) -> None:
    gpus(3)
    message = said(train_job([captions("a", GOOD)], num_gpus=None, global_batch_size=512), at="batch_size_per_device")
    assert "3 GPUs with 4 samples each take 12 at once, which does not divide" in message


@pytest.mark.parametrize("wrong", ["3B", "hermes", "internlm"])
def test_an_unknown_scale_or_style(wrong, said, train_job, captions) -> None:
    message = said(train_job([captions("a", GOOD)], conv_style_or_scale=wrong), at="conv_style_or_scale")
    assert "neither a scale of InternVL nor a conversation style" in message and "Hermes-2" in message and "26B" in message


@pytest.mark.parametrize("scale", ["1b", "1B"])
def test_a_scale_may_be_written_small(scale, said, train_job, captions) -> None:
    assert "conversation style" not in said(train_job([captions("a", GOOD)], conv_style_or_scale=scale), errors=False)


def test_a_style_that_a_later_model_was_not_made_with(said, train_job, captions, chat) -> None:
    later = str(chat / "pretrained/InternVL2_5-1B")
    message = said(train_job([captions("a", GOOD)], model_name_or_path=later, conv_style_or_scale="Hermes-2"), at="conv_style")
    assert "InternVL2_5-1B needs the conversation style 'internvl2_5'" in message


def test_a_scale_of_a_later_model_means_its_own_style(train_job, captions, chat, said) -> None:
    later = str(chat / "pretrained/InternVL2_5-1B")
    text = said(train_job([captions("a", GOOD)], model_name_or_path=later), errors=False)
    assert "conversation style" not in text


def test_a_style_of_another_scale_is_warned_of(said, train_job, captions) -> None:
    text = said(train_job([captions("a", GOOD)], conv_style_or_scale="2B"), errors=False)
    assert "was trained with the conversation style 'Hermes-2', and this says 'internlm2-chat'" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"root": "data/nowhere"}, "there is no such folder"),
        ({"annotation": "data/coco/nothing.jsonl"}, "there is no such file"),
        ({"annotation": "data/coco/annotations/coco_karpathy_test.json"}, "InternVL takes .jsonl files only"),
        ({"repeat_time": 1.5}, "repeat_time"),
        ({"root": "data"}, "the image of the first row"),
    ],
)
def test_a_meta_file_that_points_nowhere(change, message, said, train_job, captions) -> None:
    path = Path(captions("a", GOOD))
    meta = json.loads(path.read_text())
    path.write_text(json.dumps({"a": {**meta["a"], **change}}))
    assert message in said(train_job([str(path)]), at=str(path))


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"a": {"root": "data/coco"}}'])
def test_a_meta_file_that_is_none(text, said, train_job, captions) -> None:
    path = Path(captions("a", GOOD))
    path.write_text(text)
    assert "cannot be used" in said(train_job([str(path)]), at=str(path))


def test_a_meta_file_that_is_not_there(said, train_job) -> None:
    assert "nothing_meta.json" in said(train_job(["/nowhere/nothing_meta.json"]), at="nothing_meta.json")


def test_a_base_model_that_is_not_there(said, train_job, captions) -> None:
    assert "/nowhere/InternVL2-1B" in said(train_job([captions("a", GOOD)], model_name_or_path="/nowhere/InternVL2-1B"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no model file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ],
)
def test_a_base_model_without_its_weights(content, why, said, train_job, captions, chat) -> None:
    model = chat / "pretrained/InternVL2-1B"
    (model / "model.safetensors").unlink()
    if content is not None:
        (model / "model.safetensors").write_bytes(content)
    assert why in said(train_job([captions("a", GOOD)]), at="model_name_or_path")


def test_a_deepspeed_config_that_the_checkout_lacks(said, train_job, captions) -> None:
    message = said(train_job([captions("a", GOOD)], deepspeed="zero_stage9.json"), at="deepspeed")
    assert "there: zero_stage1_config.json" in message


@pytest.mark.parametrize("name", ["learning_rate", "--meta_path", "output_dir"])
def test_a_further_argument_that_is_a_key_or_ours(name, said, train_job, captions) -> None:
    assert name in said(train_job([captions("a", GOOD)], extra_args={name: "1"}))


def test_a_checkpoint_that_is_not_there(said, evaluate_job) -> None:
    assert "/nowhere/model" in said(evaluate_job(ckpt_paths=["/nowhere/model"]), at="/nowhere/model")


def test_a_checkpoint_that_is_no_model(said, evaluate_job, tmp_path) -> None:
    (tmp_path / "model").mkdir()
    assert "this is no trained model" in said(evaluate_job(ckpt_paths=[str(tmp_path / "model")]), at=str(tmp_path / "model"))


def test_a_checkout_whose_path_has_spaces(said, evaluate_job, chat, tmp_path, stand_in) -> None:
    spaced = tmp_path / "my checkout"
    stand_in.home.rename(spaced)
    model = _model(spaced / "internvl_chat")
    message = said(evaluate_job(ckpt_paths=[model], internvl_home=str(spaced)), at="internvl_home")
    assert "has white space, which evaluate.sh does not take" in message


def test_a_checkout_without_the_images_of_the_test_split(said, evaluate_job, chat) -> None:
    model = _model(chat)
    shutil.rmtree(chat / "data/coco/val2014")
    assert "the first image of the test split" in said(evaluate_job(ckpt_paths=[model]), at="internvl_home")


def test_a_test_split_that_is_something_else(said, evaluate_job, chat) -> None:
    model = _model(chat)
    (chat / "data/coco/annotations/coco_karpathy_test.json").write_text("{}")
    assert "coco_karpathy_test.json is no list of {image: ...}" in said(evaluate_job(ckpt_paths=[model]), at="internvl_home")


def test_beams_that_the_official_evaluation_would_ignore_are_warned_of(said, evaluate_job, chat) -> None:
    model = _model(chat)
    assert "'num_beams' changes nothing with 'dynamic'" in said(evaluate_job(ckpt_paths=[model], num_beams=3), errors=False)
    job = evaluate_job(ckpt_paths=[model], num_beams=3, dynamic=False)
    assert "num_beams" not in said(job, errors=False)


def test_a_checkout_without_the_test_split(said, evaluate_job, chat) -> None:
    model = _model(chat)
    (chat / "data/coco/annotations/coco_karpathy_test_gt.json").unlink()
    assert "there is no data/coco/annotations/coco_karpathy_test_gt.json" in said(
        evaluate_job(ckpt_paths=[model]), at="internvl_home"
    )


def test_neither_checkpoints_nor_captions_or_both(said, evaluate_job, chat) -> None:
    job = evaluate_job(ckpt_paths=[_model(chat)])
    assert "not both" in said({**job, "extra_configs": {**job["extra_configs"], "results_paths": [_model(chat)]}})
    job["extra_configs"].pop("ckpt_paths")
    assert "there is neither" in said(job)


def test_java_that_is_missing(said, evaluate_job, chat, tmp_path, monkeypatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "nvcc").write_text("#!/bin/sh\necho 'release 12.1, V12.1.105'\n")
    (programs / "nvcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    text = said(evaluate_job(ckpt_paths=[_model(chat)]), errors=False)
    assert "needs java" in text and "METEOR" in text


def test_a_key_that_is_misspelt(said, train_job, captions) -> None:
    assert "batch_size_per_device" in said(
        train_job([captions("a", GOOD)], batch_size_per_devise=4), at="batch_size_per_devise"
    )


def _model(chat: Path) -> str:
    """A model as the stand-in leaves it."""
    folder = chat / "work_dirs" / "model"
    write_model(folder, 0.5)
    return str(folder)
