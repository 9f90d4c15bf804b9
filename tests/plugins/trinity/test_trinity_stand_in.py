"""The stand-in refuses what Trinity and Ray refuse, and says and writes what they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from djsandbox_trinity.recipe import TRINITY, TRINITY_CPU, TRINITY_SOURCE
from djsandbox_trinity.testing import FAILURES


@pytest.fixture
def config(tmp_path: Path, stand_in, sandbox):
    def write(**changes) -> Path:
        data = {**sandbox.trinity, "checkpoint_root_dir": str(tmp_path / "checkpoints"), **changes}
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(data))
        return path

    return write


def test_help_lists_the_commands(program):
    done = program("trinity", "--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("run", "debug", "studio", "view", "convert", "log", "perf"))


def test_help_of_run_lists_its_options(program):
    done = program("trinity", "run", "--help")
    assert all(option in done.stdout for option in ("--config", "-c", "--dlc", "--plugin-dir"))


def test_an_unknown_option_is_refused(program, config):
    assert program("trinity", "run", "--config", config(), "--steps", 3).returncode == 2


def test_without_ray_nothing_starts(program, config):
    done = program("trinity", "run", "--config", config(), RAY_ADDRESS="127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "RuntimeError: Ray is not running, please start it by `ray start --head`."


def test_an_unknown_key_is_refused(program, config, head):
    done = program("trinity", "run", "--config", config(projekt="x"), RAY_ADDRESS=head)
    assert done.returncode == 1
    assert "ValueError: Invalid configuration: Key 'projekt' not in 'Config'" in done.stderr


def test_a_missing_file_is_refused(program, tmp_path, head):
    done = program("trinity", "run", "--config", tmp_path / "none.yaml", RAY_ADDRESS=head)
    assert done.returncode == 1
    assert "FileNotFoundError" in done.stderr


def test_a_run_prints_its_metrics_and_writes_its_checkpoint(program, config, head, tmp_path):
    done = program("trinity", "run", "--config", config(), RAY_ADDRESS=head)
    assert done.returncode == 0
    assert "\x1b[36m(Trainer pid=" in done.stdout
    assert "[monitor.py:113] Step 4: {'actor/final_loss': 0.2, 'critic/rewards/mean': 0.864665" in done.stdout
    assert "[repeated 2x across cluster]" in done.stdout
    job = tmp_path / "checkpoints" / "sums" / "grpo"
    assert (job / "global_step_4" / "actor" / "huggingface" / "model.safetensors").stat().st_size > 16
    assert (job / "global_step_4" / ".full_checkpoint").is_file()
    assert (job / "log" / "trainer.log").is_file()


def test_ray_can_be_told_to_print_plainly(program, config, head):
    done = program("trinity", "run", "--config", config(), RAY_ADDRESS=head, RAY_COLOR_PREFIX="0", RAY_DEDUP_LOGS="0")
    assert "\x1b" not in done.stdout
    assert "repeated" not in done.stdout


def test_a_second_run_begins_where_the_first_ended_unless_told_otherwise(program, config, head, tmp_path):
    program("trinity", "run", "--config", config(), RAY_ADDRESS=head)
    again = program("trinity", "run", "--config", config(), RAY_ADDRESS=head)
    assert "Training at step" not in again.stdout
    anew = program("trinity", "run", "--config", config(continue_from_checkpoint=False), RAY_ADDRESS=head)
    assert "Training at step 1 started" in anew.stdout
    assert "already exists, renamed as grpo_2" in anew.stdout


def test_a_taskset_that_is_a_file_cannot_be_read(program, config, head, tmp_path):
    taskset = {"explorer_input": {"taskset": {"path": str(tmp_path / "taskset" / "train.jsonl")}}}
    done = program("trinity", "run", "--config", config(buffer=taskset), RAY_ADDRESS=head)
    assert "DatasetNotFoundError" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("failure", sorted(set(FAILURES) - {"crash-midway", "killed", "hangs", "ray-token", "ray-dies"}))
def test_most_failures_exit_with_0(program, config, head, failure):
    assert program("trinity", "run", "--config", config(), RAY_ADDRESS=head, DJSANDBOX_STANDIN=failure).returncode == 0


def test_a_failure_that_nobody_knows_is_refused(program, config, head):
    done = program("trinity", "run", "--config", config(), RAY_ADDRESS=head, DJSANDBOX_STANDIN="explodes")
    assert "'explodes' is none of" in done.stderr


def test_ray_status_knows_whether_a_head_is_there(program, head):
    assert program("ray", "status", RAY_ADDRESS=head).returncode == 0
    assert program("ray", "status", RAY_ADDRESS="127.0.0.1:1").returncode == 1


def test_ray_refuses_options_that_it_does_not_have(program):
    assert program("ray", "start", "--head", "--ports", 3).returncode == 2


def test_two_heads_cannot_have_one_port(program, head):
    done = program("ray", "start", "--head", "--port", head.rpartition(":")[2])
    assert done.returncode == 1
    assert "already running" in done.stderr


def make(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "djsandbox_trinity.testing", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_making_it_prints_the_options_that_use_it_and_nothing_else(tmp_path):
    done = make(tmp_path / "s", "--job", "execution_job_configs.2")
    extra = "execution_job_configs.2.extra_configs"
    assert done.stdout.splitlines() == [
        f"--set {extra}.env_manager=existing",
        f"--set {extra}.env_params.path={tmp_path}/s/env",
        f"--set {extra}.model_path={tmp_path}/s/model",
        f"--set {extra}.start_ray=true",
    ]
    assert (tmp_path / "s" / "home" / "trinity" / "cli" / "launcher.py").is_file()


def test_a_folder_whose_path_a_shell_would_split_is_refused(tmp_path):
    done = make(tmp_path / "stand in")
    assert done.returncode == 2
    assert f"the path '{tmp_path}/stand in' has white space" in done.stderr
    assert "take another folder" in done.stderr
    assert (done.stdout, (tmp_path / "stand in").exists()) == ("", False)


@pytest.mark.parametrize("recipe", [TRINITY, TRINITY_SOURCE, TRINITY_CPU], ids=lambda recipe: recipe.name)
def test_its_environment_passes_the_check_of_the_recipe(program, recipe):
    done = program(*recipe.check)
    assert done.returncode == 0, done.stderr
