"""The experiments in configs/easyanimate_text_to_video, by the very lines in their headers, against the stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from djsandbox_easyanimate.testing import make_stand_in
from djsandbox_easyanimate.testing.settings import settings_for

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "configs/easyanimate_text_to_video"
POOLS = {
    "1_single_op_pipeline": ("single-op", ["baseline", "low", "middle", "high"]),
    "2_multi_op_pipeline": ("multi-op", ["baseline", "first", "second", "both"]),
    "3_duplicate_pipeline": ("duplicate", ["baseline", "baseline_twice", "good", "good_twice"]),
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder with the experiments, and an environment without a network."""
    pytest.importorskip("djsandbox_vbench.testing")
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    monkeypatch.chdir(tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    models = {"DATA_JUICER_MODELS_CACHE": str(tmp_path / "no_models"), "HF_HUB_OFFLINE": "1"}
    return {**os.environ, "PATH": path, "PWD": str(tmp_path), **nowhere, **models}


def documented(config: str) -> list[str]:
    """The commands of the header: for real, to make VBench's stand-in, and to run on the stand-ins."""
    text = "\n".join(line.removeprefix("#") for line in Path(config).read_text().splitlines() if line.startswith("#"))
    whole = text.replace("\\\n", " ").replace("&&\n", "&& ")
    lines = [line.strip() for line in whole.splitlines() if line.startswith("   ")]
    return [line for line in lines if line.startswith(("djsandbox run", "python -m"))]


def shell(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", POOLS)
def test_an_experiment_runs_by_the_lines_in_its_header_and_ends_with_a_table(checkout: dict[str, str], name: str) -> None:
    experiment, labels = POOLS[name]
    _, before, command = documented(f"{FOLDER}/{name}.yaml")
    shell(before, checkout)
    printed = shell(command, checkout)
    table = printed[printed.index("rank") :].splitlines()[:6]
    assert {line.split()[1].rpartition("/")[2] for line in table[2:]} == set(labels)
    assert not Path("outputs/easyanimate").exists(), "a dry run has written where a real one does"
    results = Path("outputs/stand-in/easyanimate/outputs") / experiment
    context: Any = json.loads((results / "context_infos.json").read_text())["anonymous"]
    found = {job["meta_name"]: job for job in context}
    assert len(set(found["train"]["checkpoints"])) == len(set(found["generate"]["videos"])) == 4
    assert all(len(list(Path(folder).glob("*.mp4"))) == 20 for folder in found["generate"]["videos"])
    totals = {label: found[f"vbench_{label}"]["total"] for label in labels}
    assert len(set(totals.values())) == 4  # the stand-in's models are what they were trained on
    assert [Path(path).name for path in found["compare"]["ranking"]] == sorted(totals, key=lambda label: -totals[label])
    resumed = shell(f"{command} --resume", checkout)
    assert "12 reused" in resumed or "11 reused" in resumed


def test_where_no_stand_in_can_be_made_nothing_is_run_for_real(checkout: dict[str, str], tmp_path: Path) -> None:
    shutil.move(FOLDER, tmp_path / "two words" / FOLDER)
    for name in POOLS:
        _, before, command = documented(f"two words/{FOLDER}/{name}.yaml")
        done = subprocess.run(
            ["bash", "-c", f"mkdir -p outputs/stand-in; {command}"],
            env=checkout, cwd="two words", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2 and "has white space" in done.stderr and before
        assert not Path("two words/outputs/easyanimate").exists() and "job" not in done.stdout


def test_a_dry_run_writes_nothing_where_the_real_experiment_does(checkout: dict[str, str], tmp_path: Path) -> None:
    made = make_stand_in(tmp_path / "tool")
    for name, (experiment, _) in POOLS.items():
        printed = list(settings_for(f"{FOLDER}/{name}.yaml", made, data="videos", environments={}))
        assert printed[0] == f"--work_dir {made.folder}/outputs/{experiment}"
        config = Path(f"{FOLDER}/{name}.yaml").read_text()
        places = {line.split("=", 1)[1] for line in printed if "/outputs/" in line and "=" in line}
        written = [word for word in config.split() if word.startswith("./outputs/easyanimate/")]
        moved = {f"{made.folder}/outputs/{word.removeprefix('./outputs/easyanimate/')}" for word in written}
        assert moved - {f"{made.folder}/outputs/{experiment}"} == places


def test_the_experiments_are_valid_but_for_what_their_headers_ask_for(checkout: dict[str, str]) -> None:
    for name in POOLS:
        done = subprocess.run(
            ["djsandbox", "validate", f"{FOLDER}/{name}.yaml"], env=checkout, capture_output=True, text=True, check=False
        )
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "error:" in line]
        wanted = ("videos.jsonl", "EasyAnimateV5.1-7b-zh", "needs a GPU", "needs ffmpeg", "needs wget", "needs unzip")
        assert errors and all(any(what in line for what in wanted) for line in errors), errors
