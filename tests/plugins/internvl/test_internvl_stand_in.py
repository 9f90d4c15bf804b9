"""The stand-in refuses what InternVL's programs refuse, and writes what they write."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from djsandbox_internvl.testing import write_model
from djsandbox_internvl.testing.__main__ import main

GIVEN = {
    "--model_name_or_path": "./pretrained/InternVL2-1B",
    "--conv_style": "Hermes-2",
    "--output_dir": "work_dirs/model",
    "--meta_path": "shell/data/coco_caption.json",
    "--per_device_train_batch_size": "4",
    "--gradient_accumulation_steps": "2",
    "--num_train_epochs": "1",
    "--logging_steps": "1",
    "--deepspeed": "zero_stage1_config.json",
}


@pytest.fixture
def finetune(stand_in, chat) -> Any:
    """Runs the fine-tuning as the official script does, with these arguments and variables changed."""

    def run(changes: dict[str, str | None] | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {name: value for name, value in {**GIVEN, **(changes or {})}.items() if value is not None}
        argv = [str(stand_in.environment / "bin/torchrun"), "--nnodes=1", "--nproc_per_node=2", "--standalone"]
        argv += ["internvl/train/internvl_chat_finetune.py", *(text for pair in given.items() for text in pair)]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(chat), "LAUNCHER": "pytorch", **variables}
        return subprocess.run(argv, cwd=chat, env=env, capture_output=True, text=True, check=False)

    return run


def test_it_trains_as_the_official_script_would(finetune, chat) -> None:
    done = finetune()
    assert done.returncode == 0, done.stderr
    out = chat / "work_dirs/model"
    state = json.loads((out / "trainer_state.json").read_text())
    rows = len((chat / "data/coco/annotations/coco_karpathy_train_567k.jsonl").read_text().splitlines())
    assert state["global_step"] == state["max_steps"] == rows // (4 * 2 * 2)
    assert {"model.safetensors", "config.json", "all_results.json", "train_results.json"} <= {one.name for one in out.iterdir()}
    assert "{'loss': " in done.stdout and "'train_loss': " in done.stdout and "100%|██████████| 3/3 [" in done.stderr


@pytest.mark.parametrize(
    ("changes", "variables", "said"),
    [
        ({"--no_such_argument": "1"}, {}, "are not used by the HfArgumentParser: ['--no_such_argument', '1']"),
        ({"--bf16": "perhaps"}, {}, "Truthy value expected"),
        ({"--ps_version": "v3"}, {}, "invalid choice: 'v3'"),
        ({"--output_dir": None}, {}, "required: --output_dir"),
        ({"--conv_style": "hermes"}, {}, "KeyError: 'hermes'"),
        ({"--deepspeed": "no.json"}, {}, "No such file or directory: 'no.json'"),
        ({"--meta_path": "no.json"}, {}, "No such file or directory: 'no.json'"),
        ({"--model_name_or_path": "./pretrained/none"}, {}, "No such file or directory"),
        ({}, {"LAUNCHER": "slurm"}, "KeyError: 'SLURM_PROCID'"),
        ({}, {"PYTHONPATH": ""}, "No module named 'internvl'"),
    ],
)
def test_it_refuses_what_the_real_one_refuses(changes, variables, said, finetune, chat) -> None:
    done = finetune(changes, **variables)
    assert done.returncode == 1 and said in done.stderr and "ChildFailedError" in done.stderr
    assert not (chat / "work_dirs").exists()


def test_it_takes_jsonl_annotations_only(finetune, chat) -> None:
    meta = {"x": {"root": "data/coco", "annotation": "rows.json", "data_augment": False, "repeat_time": 1, "length": 1}}
    (chat / "meta.json").write_text(json.dumps(meta))
    assert "annotation must be jsonl, but got rows.json" in finetune({"--meta_path": "meta.json"}).stderr


def test_a_port_that_is_taken_is_refused(stand_in, chat) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        argv = [str(stand_in.environment / "bin/torchrun"), f"--master_port={taken.getsockname()[1]}", "x.py"]
        done = subprocess.run(argv, cwd=chat, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "EADDRINUSE" in done.stderr


def test_evaluate_sh_ends_well_whatever_happens_and_takes_the_checkpoint_relative_to_itself(stand_in, chat, tmp_path) -> None:
    write_model(chat / "work_dirs/model", 0.5)
    env = {"PATH": f"{stand_in.environment / 'bin'}:{os.environ['PATH']}", "GPUS": "2", "MASTER_PORT": "0"}

    def evaluate(checkpoint: str, *further: str) -> subprocess.CompletedProcess[str]:
        argv = ["bash", "evaluate.sh", checkpoint, "caption-coco", *further]
        return subprocess.run(argv, cwd=chat, env=env, capture_output=True, text=True, check=False)

    good = evaluate("work_dirs/model", "--dynamic")
    assert good.returncode == 0 and "dict_items([('Bleu_1', 0.4" in good.stdout
    assert len((chat / "results/work_dirs_model.txt").read_text().splitlines()) == 2  # every rank appends
    absolute = evaluate(str(chat / "work_dirs/model"))
    assert absolute.returncode == 0 and "No such file" in absolute.stderr and "CIDEr" not in absolute.stdout
    refused = evaluate("work_dirs/model", "--batchsize", "2")
    assert refused.returncode == 0 and "unrecognized arguments: --batchsize 2" in refused.stderr


def test_its_settings_name_every_job_that_needs_it(tmp_path, capsys, sandbox, train_job, captions, stand_in) -> None:
    job = train_job([captions("a", ["a dog"])], internvl_home="/home/me/InternVL", model_name_or_path="/home/me/InternVL/x")
    assert main([str(tmp_path / "other"), "--for", str(sandbox(job)), "--mode", "nan-loss"]) == 0
    printed = capsys.readouterr().out.splitlines()
    place = "--set anonymous.execution_job_configs.0.extra_configs"
    assert f"{place}.internvl_home={tmp_path / 'other/home'}" in printed
    assert f"{place}.model_name_or_path={tmp_path / 'other/home/x'}" in printed
    assert f"{place}.env_manager=existing" in printed
    assert any('"variables":{"DJSANDBOX_STANDIN":"nan-loss"}' in line for line in printed)


def test_its_options_lead_the_results_elsewhere_too(tmp_path, capsys, sandbox, train_job, captions) -> None:
    job = train_job([captions("a", ["a dog"])], work_dir=str(tmp_path / "work/models"), script_dir="elsewhere/sh")
    assert main([str(tmp_path / "other"), "--for", str(sandbox(job))]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == f"--work_dir {tmp_path / 'other/results'}"
    assert f"0.extra_configs.work_dir={tmp_path / 'other/results/models'}\n" in printed and "script_dir" not in printed
    assert (tmp_path / "other/options").read_text() == printed
    assert len(printed.split()) == 2 * len(printed.splitlines())  # a shell that splits them gets what was meant


def test_it_is_made_in_no_folder_with_white_space_in_its_path(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "my folder")])
    said = capsys.readouterr()
    assert caught.value.code == 2 and "my folder has white space" in said.err and "choose another" in said.err
    assert not said.out and not (tmp_path / "my folder").exists()


def test_a_way_to_fail_that_it_does_not_know_is_refused(tmp_path, capsys, finetune) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "other"), "--mode", "crash-midways:one"])
    assert "there is no mode 'crash-midways:one'" in capsys.readouterr().err
    assert "there is no mode 'crash'" in finetune(DJSANDBOX_STANDIN="crash").stderr


def test_its_environment_passes_the_check_of_the_recipe_and_its_own_programs_come_first(stand_in, chat) -> None:
    from djsandbox_internvl.recipe import INTERNVL

    python = str(stand_in.environment / "bin/python")
    assert INTERNVL.check is not None
    subprocess.run([python, *INTERNVL.check[1:]], check=True)
    path = "import sys; print([one for one in sys.path if one][0])"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(chat)}
    assert subprocess.run([python, "-c", path], env=env, capture_output=True, text=True, check=True).stdout.strip() == str(chat)
