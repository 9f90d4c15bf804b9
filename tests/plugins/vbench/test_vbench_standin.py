"""The stand-in of VBench, as its tool looks from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from djsandbox import EnvRecipe
from djsandbox_vbench.recipe import VBENCH, VBENCH_DETECTRON2
from djsandbox_vbench.testing.failing import FAILURES

Lab = Any
REQUIRED = ("--videos_path", "videos", "--dimension", "scene", "--output_path", "made")


def evaluate(lab: Lab, *argv: str, gpus: int = 1, way: str = "") -> subprocess.CompletedProcess[str]:
    launch = [str(lab.folder / "env" / "bin" / "torchrun"), "--standalone", "--nproc_per_node", str(gpus)]
    env = {**os.environ, "DJSANDBOX_STANDIN": way}
    command = [*launch, "-m", "vbench.launch.evaluate", *argv]
    done = subprocess.run(command, capture_output=True, env=env, cwd=lab.folder, check=False)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def made(lab: Lab, kind: str) -> list[Path]:
    return sorted((lab.folder / "made").glob(f"results_*_{kind}.json"))


def test_it_prints_and_writes_what_vbench_itself_does(lab: Lab, real: Path) -> None:
    done = evaluate(lab, "--videos_path", "videos", "--dimension", "temporal_flickering", "--output_path", "made")
    assert done.returncode == 0
    patterns = [
        r"args: Namespace\(output_path='made', .*load_ckpt_from_local=None, read_frame=None, mode='vbench_standard', .*\)",
        "start evaluation",
        r"Evaluation meta data saved to made/results_\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d_full_info\.json",
        r"cur_full_info_path: made/results_.*_full_info\.json",
        r"Evaluation results saved to made/results_.*_eval_results\.json",
        "done",
    ]
    lines = done.stdout.splitlines()
    assert len(lines) == len(patterns)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True))
    assert re.search(r"\r100%\|█+\| 5/5 \[", done.stderr)
    for kind in ("full_info", "eval_results"):
        (ours,), (theirs,) = made(lab, kind), real.glob(f"*_{kind}.json")
        assert shape(json.loads(ours.read_text())) == shape(json.loads(theirs.read_text()))


def shape(value: Any) -> Any:
    """Types and keys, without the values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--dimension", "scene"), "required: --videos_path"),
        (("--videos_path", "videos"), "required: --dimension"),
        ((*REQUIRED, "--ngpus", "1"), "unrecognized arguments: --ngpus 1"),
        ((*REQUIRED, "--mode", "standard"), "invalid choice: 'standard'"),
        ((*REQUIRED, "--load_ckpt_from_local"), "expected one argument"),
        ((*REQUIRED, "--prompt", "a kite"), "must set --mode=custom_input"),
        (
            (*REQUIRED[:2], "--dimension", "human_action", "--mode", "vbench_category"),
            "directory: 'prompts/prompts_per_category'",
        ),
        ((*REQUIRED, "--mode", "custom_input"), "{'scene'} not supported for custom input"),
    ],
)
def test_it_refuses_what_vbench_refuses(lab: Lab, argv: tuple[str, ...], said: str) -> None:
    done = evaluate(lab, *argv)
    assert done.returncode == 1
    assert said in done.stderr
    assert not made(lab, "eval_results")


def test_the_text_false_is_true(lab: Lab) -> None:
    done = evaluate(lab, *REQUIRED, "--load_ckpt_from_local", "False")
    assert "load_ckpt_from_local=True" in done.stdout
    assert "[Local Mode]" in done.stderr


def test_a_rank_without_work_ends_all_with_an_error_and_no_results(lab: Lab) -> None:
    """The list has one prompt for scene, and its work is shared out by prompts."""
    done = evaluate(lab, *REQUIRED, gpus=2)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr and "vbench.launch.evaluate FAILED" in done.stderr
    assert not made(lab, "eval_results")


def test_several_ranks_give_one_result(lab: Lab) -> None:
    done = evaluate(lab, "--videos_path", "videos", "--dimension", "human_action", "--output_path", "made", gpus=2)
    assert done.returncode == 0
    assert done.stdout.count("start evaluation") == 1
    assert len(made(lab, "eval_results")) == 1


def test_a_missing_video_is_only_a_warning(lab: Lab) -> None:
    (lab.videos / "library-3.mp4").unlink()
    done = evaluate(lab, *REQUIRED)
    assert done.returncode == 0
    assert "WARNING!!! This required video is not found!" in done.stdout
    assert "The missing video is: library-3.mp4" in done.stdout


WAYS = [
    ("exit-0-nothing", 0, False, False),
    ("old-results", 0, True, False),
    ("crash-midway", 1, True, False),
    ("killed", 1, True, False),
    ("out-of-memory", 1, True, False),
    ("no-gpu", 1, False, False),
    ("no-detectron2", 1, True, False),
    ("nan-score", 0, True, True),
    ("half-written", 0, True, True),
    ("crash-midway:color", 0, True, True),
]


@pytest.mark.parametrize(("way", "code", "has_meta", "has_results"), WAYS)
def test_it_fails_in_the_way_it_is_told(lab: Lab, way: str, code: int, has_meta: bool, has_results: bool) -> None:
    done = evaluate(lab, *REQUIRED, way=way)
    assert done.returncode == code
    assert bool(made(lab, "full_info")) == has_meta
    assert bool(made(lab, "eval_results")) == has_results
    if way == "killed":
        assert "exitcode  : -9" in done.stderr


def test_a_way_that_it_does_not_know_is_refused(lab: Lab) -> None:
    done = evaluate(lab, *REQUIRED, way="explodes")
    assert done.returncode == 1 and "'explodes' is none of exit-0-nothing, old-results" in done.stderr


def test_every_way_to_fail_is_tried_here() -> None:
    assert set(FAILURES) - {"slow"} == {way.partition(":")[0] for way, *_ in WAYS}


@pytest.mark.parametrize("recipe", [VBENCH, VBENCH_DETECTRON2], ids=lambda recipe: recipe.name)
def test_its_environment_passes_the_check_of_the_recipe(lab: Lab, recipe: EnvRecipe) -> None:
    program, *arguments = recipe.check
    done = subprocess.run([str(lab.folder / "env" / "bin" / program), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def make(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "djsandbox_vbench.testing", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_making_it_prints_the_options_that_let_a_config_use_it_and_nothing_else(tmp_path: Path) -> None:
    made_in, job = tmp_path / "fake", "evaluation_job_configs.0"
    lines = make(made_in, "--job", job).stdout.splitlines()
    environment = [f"--set {job}.extra_configs.{one}" for one in ("env_manager=existing", f"env_params.path={made_in}/env")]
    videos = (f"videos_path={made_in}/videos", f"output_path={made_in}/results", "full_json_dir=null", "prompt_list=small")
    assert lines == environment + [f"--set {job}.extra_configs.{one}" for one in videos]
    assert make(made_in, "--job", job, "--only-env").stdout.splitlines() == environment
    assert len(list((made_in / "videos").iterdir())) == 65


def test_a_folder_whose_path_a_shell_would_split_is_refused(tmp_path: Path) -> None:
    done = make(tmp_path / "my fake")
    assert done.returncode == 2
    assert f"the path '{tmp_path}/my fake' has white space" in done.stderr and "take another folder" in done.stderr
    assert (done.stdout, (tmp_path / "my fake").exists()) == ("", False)
