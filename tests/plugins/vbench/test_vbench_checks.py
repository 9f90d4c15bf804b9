"""What is found wrong with an evaluation before it is run, and where."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError, Problem
from djsandbox_vbench.prompts import SMALL_LIST

Lab = Any


CATEGORY_DIMENSION = {"dimension_list": ["dynamic_degree"]}


def found(lab: Lab, **config: Any) -> list[Problem]:
    """What `validate` says of the config, without what the machine lacks."""
    lab.write(**config)
    try:
        problems = list(djsandbox.validate("sandbox.yaml"))
    except ConfigError as error:
        problems = list(error.problems)
    return [problem for problem in problems if not re.match(r"the environment '\S+' needs ", problem.message)]


def line_of(lab: Lab, text: str) -> int:
    lines = (lab.folder / "sandbox.yaml").read_text().splitlines()
    return next(at for at, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(
    ("config", "at", "said"),
    [
        ({"dimension_list": ["dynamic_degre"]}, '"dimension_list"', "VBench has no dimension 'dynamic_degre'"),
        ({"dimension_list": []}, '"dimension_list"', "at least 1"),
        ({"dimension_list": ["scene", "scene"]}, '"dimension_list"', "named twice"),
        ({"num_gpus": 0}, '"num_gpus"', "greater than or equal to 1"),
        ({"mode": "vbench_category", **CATEGORY_DIMENSION}, '"mode"', "vbench_category needs the prompts of the category"),
        ({"mode": "vbench_category", "category": "animal", **CATEGORY_DIMENSION}, '"category"', "'animal' does not exist"),
        ({"mode": "vbench_category", "category": "empty.txt", **CATEGORY_DIMENSION}, '"category"', "there is no prompt in it"),
        (
            {"mode": "vbench_category", "category": "twice.txt", **CATEGORY_DIMENSION},
            '"category"',
            "'a kite' stands in it twice",
        ),
        ({"mode": "vbench_category", "category": "list.json", **CATEGORY_DIMENSION}, '"category"', "it looks like JSON"),
        ({"mode": "vbench_category", "category": "kite.txt"}, '"scene"', "does not go with vbench_category"),
        ({"category": "kite.txt", **CATEGORY_DIMENSION}, '"category"', "is only for vbench_category"),
        ({"mode": "vbench_categories"}, '"mode"', "'vbench_category'"),
        ({"num_gpus": 3}, '"num_gpus"', "'num_gpus' is 3, and this machine has 2"),
        (
            {"mode": "custom_input", "prompt_file": "list.json", "dimension_list": ["dynamic_degree"]},
            '"prompt_file"',
            "the prompt file is no mapping",
        ),
        ({"eval_name": "a/b"}, '"eval_name"', "no '/'"),
        ({"prompt": "a kite"}, '"prompt"', "only for custom_input"),
        ({"full_json_dir": "list.json"}, '"full_json_dir"', "prompt 1 of the prompt list has no text 'prompt_en'"),
        ({"full_json_dir": "none.json"}, '"full_json_dir"', "none.json"),
        ({"full_json_dir": "short.json"}, '"scene"', "has no prompt for scene"),
        ({"videos_path": "nowhere"}, '"videos_path"', "nowhere"),
        ({"videos_path": "list.json"}, '"videos_path"', "is no folder"),
        ({"outputs": ["semantic_score"], "dimension_list": ["dynamic_degree"]}, '"semantic_score"', "no semantic_score"),
        ({"read_frame": True, "videos_path": "made"}, '"read_frame"', "with 'frames' for 'videos'"),
        ({"mode": "custom_input"}, '"scene"', "does not go with custom_input"),
        ({"mode": "custom_input", "prompt": "a", "dimension_list": ["dynamic_degree"]}, '"prompt"', "one video only"),
        ({"dimension_list": ["color"]}, '"color"', "VBench needs detectron2 for that, which is not installed in"),
        ({"env_params": {"path": "other"}}, '"path"', "vbench is not installed in"),
        ({"load_ckpt": True}, '"load_ckpt"', "did you mean"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_line(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], at: str, said: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    lab.remove("detectron2")
    for name, text in {"empty": "\n", "twice": "a kite\na kite\n", "kite": "a kite\n"}.items():
        (lab.folder / f"{name}.txt").write_text(text)
    (lab.folder / "list.json").write_text('[{"prompt": "a kite"}]')
    (lab.folder / "short.json").write_text(json.dumps(json.loads(SMALL_LIST.read_text())[:2]))
    shutil.copytree(lab.videos, lab.folder / "made")
    (lab.folder / "other" / "bin").mkdir(parents=True)
    (lab.folder / "other" / "lib" / "python3.10" / "site-packages").mkdir(parents=True)
    shutil.copy(lab.folder / "env" / "bin" / "python", lab.folder / "other" / "bin")
    problems = found(lab, **config)
    told = [(problem.where.line if problem.where else None, f"{problem.message} {problem.fix}") for problem in problems]
    assert any(said in message and line == line_of(lab, at) for line, message in told), told


def test_a_category_whose_videos_are_missing_is_told_with_what_it_lacks(lab: Lab) -> None:
    (lab.folder / "animal.txt").write_text("library\na red kite\n")
    (warning,) = found(lab, mode="vbench_category", category="animal.txt", **CATEGORY_DIMENSION)
    assert "lacks 5 videos that the prompt list wants for dynamic_degree: 'a red kite-0.mp4'" in warning.message


def test_gpus_of_a_launcher_of_its_own_are_not_those_of_this_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    lab.write(num_gpus=8)
    (evaluator,) = lab.findings(num_gpus=8)
    assert evaluator.loc == ("num_gpus",)
    assert lab.findings(num_gpus=8, launcher="ray") == lab.findings(num_gpus=2) == []


def test_a_folder_that_lacks_videos_is_told_with_what_it_lacks(lab: Lab) -> None:
    for number in range(5):
        (lab.videos / f"library-{number}.mp4").unlink()
    (warning,) = found(lab)
    assert (
        "lacks 5 videos that the prompt list wants for scene: 'library-0.mp4', 'library-1.mp4', 'library-2.mp4' and 2 more"
        in (warning.message)
    )
    assert (warning.severity, warning.where and warning.where.line) == ("warning", line_of(lab, '"videos_path"'))


def test_a_folder_that_has_all_is_told_nothing_of(lab: Lab) -> None:
    assert found(lab) == []
    (lab.videos / "library-0.mp4").unlink()
    assert found(lab, allow_missing_videos=True) == []


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (["notes.txt"], "there is more than videos in it: 'notes.txt'"),
        ([".DS_Store"], "there is more than videos in it: '.DS_Store'"),
        (["a.gif"], r"videos of several kinds in it (.gif, .mp4)"),
    ],
)
def test_what_lies_beside_the_videos_is_named_because_vbench_may_take_its_extension_for_theirs(
    lab: Lab, others: list[str], said: str
) -> None:
    for name in others:
        (lab.videos / name).touch()
    (warning,) = found(lab)
    assert said in warning.message


def test_an_empty_folder_of_videos_is_told(lab: Lab) -> None:
    shutil.rmtree(lab.videos)
    lab.videos.mkdir()
    (warning,) = found(lab)
    assert "the folder of videos is empty" in warning.message


def test_detectron2_where_it_is_installed_is_seen(lab: Lab) -> None:
    assert found(lab, dimension_list=["color"]) == []


def test_nothing_is_said_of_an_environment_that_also_sees_what_is_installed_outside_of_it(lab: Lab) -> None:
    lab.remove("detectron2")
    (lab.folder / "env" / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    assert found(lab, dimension_list=["color"]) == []


def test_the_prompt_list_of_the_installed_vbench_is_the_one_that_counts_where_none_is_named(lab: Lab) -> None:
    (packages,) = (lab.folder / "env").glob("lib/python3*/site-packages")
    (packages / "vbench" / "VBench_full_info.json").write_text(json.dumps(json.loads(SMALL_LIST.read_text())[:2]))
    assert [problem.message for problem in found(lab)] == [
        f"the prompt list {packages}/vbench/VBench_full_info.json has no prompt for scene"
    ]
    assert found(lab, prompt_list="small") == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a kite", "is no mapping"),
        ({"prompt_en": "a kite"}, "has no list 'dimension'"),
        ({"prompt_en": "a kite", "dimension": ["color"]}, "says nothing of it in 'auxiliary_info'"),
    ],
)
def test_a_prompt_that_vbench_cannot_use_is_named(lab: Lab, row: Any, said: str) -> None:
    (lab.folder / "list.json").write_text(json.dumps([*json.loads(SMALL_LIST.read_text()), row]))
    (problem,) = found(lab, full_json_dir="list.json")
    assert "prompt 14" in problem.message and said in problem.message
