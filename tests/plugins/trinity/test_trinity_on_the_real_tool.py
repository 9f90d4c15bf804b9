"""What needs no GPU, with Trinity-RFT itself: its help, its check of configs, and its refusal to run without Ray.

DJSANDBOX_TRINITY_ENV names the folder of an environment that has it (`djsandbox envs create trinity-cpu` makes one, of two
gigabytes); without it these tests are skipped.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from djsandbox import JobFailed
from djsandbox_trinity.monitor import record_of
from djsandbox_trinity.recipe import TRINITY_CPU
from djsandbox_trinity.reports import read_records
from djsandbox_trinity.schema import load_schema
from djsandbox_trinity.worker import run as worker
from djsandbox_trinity.written_config import written

ENV = os.environ.get("DJSANDBOX_TRINITY_ENV", "")
ROOT = Path(__file__).resolve().parents[3]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ENV, reason="DJSANDBOX_TRINITY_ENV names no environment with Trinity-RFT"),
]


def in_environment(program: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [f"{ENV}/bin/{program}", *map(str, arguments)]
    env = {**os.environ, **variables}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300, env=env)


def test_its_help_lists_what_the_stand_in_lists():
    done = in_environment("trinity", "--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("run", "debug", "studio", "view", "convert", "log", "perf"))
    assert all(option in in_environment("trinity", "run", "--help").stdout for option in ("--config", "--dlc", "--plugin-dir"))


def check(path: Path, **variables: str) -> dict[str, str]:
    script = Path(worker.__file__).with_name("check_config.py")
    done = in_environment("python", script, path, **variables)
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_the_config_of_the_experiment_is_taken_as_we_write_it(tmp_path):
    base = yaml.safe_load((ROOT / "configs/trinity_rft/grpo.yaml").read_text())
    overrides = {"buffer": {"total_steps": 20}}
    config = written(base, overrides, continues=False, has_address=True, model_path="/m", pool=("p", "/d"), is_one_of_many=True)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    variables = {worker.ROOT_VARIABLE: "/checkpoints", worker.NAMESPACE_VARIABLE: "n"}
    assert check(path, **variables) == {"job_dir": "/checkpoints/sums/grpo-p"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("projekt: x", "Key 'projekt' not in 'Config'"),
        ("buffer: {total_steps: many}", "could not be converted to Integer"),
        ("buffer: {explorer_input: {taskset: {pth: x}}}", "full_key: buffer.explorer_input.taskset.pth"),
        ("- a", "Cannot merge DictConfig with ListConfig"),
    ],
)
def test_a_wrong_config_is_refused_in_the_words_of_the_stand_in(tmp_path, stand_in, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert words in check(path)["problem"]
    script = Path(worker.__file__).with_name("check_config.py")
    double = subprocess.run([stand_in.env / "bin/python", script, path], capture_output=True, text=True, check=False)
    assert words in json.loads(double.stdout.strip().splitlines()[-1])["problem"]


def test_the_keys_that_we_know_are_those_of_the_release():
    program = (
        "import dataclasses, json, trinity.common.config as c; "
        "print(json.dumps({n: [f.name for f in dataclasses.fields(k)] for n, k in vars(c).items()"
        " if dataclasses.is_dataclass(k)}))"
    )
    theirs = json.loads(in_environment("python", "-c", program).stdout.strip().splitlines()[-1])
    assert {name: list(keys) for name, keys in load_schema()["classes"].items()} == {
        name: theirs[name] for name in load_schema()["classes"]
    }


def test_what_its_monitor_prints_and_writes_is_read(tmp_path):
    program = (
        "import sys, types; from trinity.utils.monitor import TensorboardMonitor; "
        "config = types.SimpleNamespace(monitor=types.SimpleNamespace(cache_dir=sys.argv[1])); "
        "monitor = TensorboardMonitor('p', 'g', 'n', 'trainer', config); "
        "numbers = {'actor/grad_norm': float('nan'), 'critic/rewards/mean': 0.123456789, 'perf/throughput': 123456.789}; "
        "monitor.log(numbers, step=7)"
    )
    done = in_environment("python", "-c", program, tmp_path / "monitor")
    assert done.returncode == 0, done.stderr
    (printed,) = [record for line in done.stdout.splitlines() if (record := record_of(line)) is not None]
    (written_down,) = read_records(tmp_path, {})
    assert (printed.step, written_down.step) == (7, 7)
    assert printed.metrics["critic/rewards/mean"] == 0.123457
    assert written_down.metrics["critic/rewards/mean"] == pytest.approx(0.123456789, abs=1e-8)
    assert written_down.metrics["perf/throughput"] == pytest.approx(123456.789, abs=0.01)
    assert math.isnan(printed.metrics["actor/grad_norm"]) and math.isnan(written_down.metrics["actor/grad_norm"])


def test_the_recipe_s_own_check_passes():
    assert in_environment(*TRINITY_CPU.check).returncode == 0


def test_without_ray_the_real_program_is_not_even_started(sandbox):
    with pytest.raises(JobFailed, match="Ray is not running"):
        sandbox.run(env_params={"path": ENV, "check": False}, start_ray=False, ray_address="127.0.0.1:1")


def test_with_a_ray_of_its_own_the_real_program_comes_as_far_as_it_can_without_a_gpu(sandbox):
    before = set(Path("/tmp").glob("djr-*"))
    with pytest.raises(JobFailed):
        sandbox.run(
            env_params={"path": ENV, "check": False},
            overrides={"model": {"max_model_len": 512}, "cluster": {"node_num": 1, "gpu_per_node": 2}},
        )
    assert "a Ray head of our own is ready at" in sandbox.log()
    assert "Ray is not running" not in sandbox.log()
    assert set(Path("/tmp").glob("djr-*")) <= before
