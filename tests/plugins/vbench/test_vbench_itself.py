"""VBench's own code, from the published wheel: it takes what we pass, wants what we check, and the stand-in does as it does.

VBench as a whole needs CUDA, and its dependencies fill gigabytes: of the wheel only what runs without them is run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.prompts import SMALL_LIST, read_prompts
from djsandbox_vbench.testing.arguments import parsed
from djsandbox_vbench.videos import coverage

pytestmark = pytest.mark.slow

Lab = Any
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VBench 0.1.5 without its dependencies."""
    folder = tmp_path_factory.mktemp("packages")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).exists():
        pytest.skip("uv is not installed")
    command = [uv, "pip", "install", "-q", "--no-deps", "--python", sys.executable, "--target", str(folder), "vbench==0.1.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the wheel of VBench cannot be had: {done.stderr.strip()[-200:]}")
    return folder


def vbench(packages: Path, what: str, *argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "vbench_without_dependencies.py"), str(packages), what, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


CONFIGS: list[dict[str, Any]] = [
    {"dimension_list": ["scene"]},
    {"dimension_list": ["imaging_quality"], "imaging_quality_preprocessing_mode": "None", "prompt_list": "small"},
    {"dimension_list": ["dynamic_degree"], "load_ckpt_from_local": True, "read_frame": True},
    {"dimension_list": ["dynamic_degree"], "mode": "custom_input", "prompt_file": "prompts.json"},
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_vbench_takes_the_arguments_that_we_pass_and_the_stand_in_makes_the_same_of_them(
    lab: Lab, packages: Path, config: dict[str, Any]
) -> None:
    names = [path.name for path in lab.videos.iterdir()]
    (lab.folder / "prompts.json").write_text(json.dumps(dict.fromkeys(names, "a kite")))
    (task,) = lab.tasks(**config)
    argv = task.argv[task.argv.index("vbench.launch.evaluate") + 1 :]
    done = vbench(packages, "parse", *argv)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = vars(parsed(SMALL_LIST, argv))
    if "--full_json_dir" not in argv:  # each has its own where none is named
        assert theirs.pop("full_json_dir").endswith("VBench_full_info.json")
        del ours["full_json_dir"]
    assert ours == theirs
    assert theirs["dimension"] == config["dimension_list"]
    assert theirs["load_ckpt_from_local"] is (True if config.get("load_ckpt_from_local") else None)


@pytest.mark.parametrize(
    "argv",
    [
        ("--dimension", "scene"),
        ("--videos_path", "v"),
        ("--videos_path", "v", "--dimension", "scene", "--ngpus", "1"),
        ("--videos_path", "v", "--dimension", "scene", "--mode", "standard"),
        ("--videos_path", "v", "--dimension", "scene", "--read_frame"),
    ],
)
def test_vbench_refuses_what_the_stand_in_refuses(packages: Path, argv: tuple[str, ...]) -> None:
    assert vbench(packages, "parse", *argv).returncode == 2
    with pytest.raises(SystemExit):
        parsed(SMALL_LIST, argv)


def test_the_text_false_is_true_to_vbench(packages: Path) -> None:
    done = vbench(packages, "parse", "--videos_path", "v", "--dimension", "scene", "--load_ckpt_from_local", "False")
    assert json.loads(done.stdout)["load_ckpt_from_local"] is True


def test_vbench_misses_the_videos_that_we_say_are_missing(lab: Lab, packages: Path) -> None:
    for name in ("library-3.mp4", "a yellow bicycle-0.mp4", "a yellow bicycle-4.mp4"):
        (lab.videos / name).unlink()
    wanted = ["scene", "color", "human_action"]
    places = ("--videos_path", str(lab.videos), "--output_path", str(lab.folder / "made"))
    done = vbench(packages, "gather", *places, "--full_json_dir", str(SMALL_LIST), "--dimension", *wanted)
    assert done.returncode == 0, done.stderr
    theirs = {line.rpartition("The missing video is: ")[2] for line in done.stdout.splitlines() if "WARNING!!!" in line}
    ours = coverage(lab.videos, read_prompts(SMALL_LIST), wanted)
    assert theirs == {name for names in ours.missing.values() for name in names}
    meta = json.loads((lab.folder / "made" / "results_T_full_info.json").read_text())
    for dimension in wanted:
        found = [video for row in meta if dimension in row["dimension"] for video in row["video_list"]]
        assert len(found) == ours.found[dimension]


def test_the_prompt_list_of_vbench_is_read_and_has_the_same_dimensions_as_ours(packages: Path) -> None:
    prompts = read_prompts(packages / "vbench" / "VBench_full_info.json")
    assert len(prompts) == 946
    counts = Counter(name for prompt in prompts for name in prompt.dimensions)
    assert set(counts) == set(DIMENSIONS) == {name for prompt in read_prompts(SMALL_LIST) for name in prompt.dimensions}
    assert counts["human_action"] == 100


def test_a_category_cannot_be_evaluated_by_vbench_as_it_is_published(lab: Lab, packages: Path) -> None:
    places = ("--videos_path", str(lab.videos), "--output_path", str(lab.folder / "made"))
    done = vbench(
        packages, "gather", *places, "--dimension", "human_action", "--mode", "vbench_category", "--category", "animal"
    )
    assert "No such file or directory: 'prompts/prompts_per_category'" in done.stderr


def test_of_a_category_we_take_the_videos_that_vbench_would_take_if_it_had_the_prompts(
    lab: Lab, packages: Path, tmp_path: Path
) -> None:
    """Its prompts are put to the two places where it looks for them: where it runs, and in its package."""
    repaired = tmp_path / "repaired"
    shutil.copytree(packages / "vbench", repaired / "vbench")
    for folder in (tmp_path / "prompts" / "prompts_per_category", repaired / "vbench" / "prompts_per_category"):
        folder.mkdir(parents=True)
        (folder / "places.txt").write_text("library\nan umbrella\n")
    places, dimension = ("--videos_path", str(lab.videos)), ("--dimension", "dynamic_degree")
    theirs = gathered(repaired, tmp_path, *places, *dimension, "--mode", "vbench_category", "--category", "places")
    category = str(tmp_path / "prompts" / "prompts_per_category" / "places.txt")
    (task,) = lab.tasks(mode="vbench_category", category=category, dimension_list=["dynamic_degree"])
    ours = gathered(packages, tmp_path, *task.argv[task.argv.index("vbench.launch.evaluate") + 1 :])
    assert len(ours) == 2
    assert ours == theirs


def gathered(packages: Path, folder: Path, *argv: str) -> list[tuple[str, list[str], list[str]]]:
    """Of each prompt its text, dimensions and videos, as VBench has gathered them."""
    done = vbench(packages, "gather", *argv, "--output_path", str(folder / "made"), cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads((folder / "made" / "results_T_full_info.json").read_text())
    return [(row["prompt_en"], row["dimension"], sorted(row["video_list"])) for row in rows]
