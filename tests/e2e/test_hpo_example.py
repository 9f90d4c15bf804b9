"""configs/hpo as its reader runs it, and as its reader may have it end: killed, and run again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "djsandbox", "run"]
CONFIG = "configs/hpo/sandbox.yaml"
TRIALS = 8


def journal_of(work_dir: Path) -> list[dict[str, Any]]:
    file = work_dir / "journal.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def killed_after(count: int, folder: Path) -> None:
    """Run the sweep, and kill it at once when `count` trials have ended."""
    process = subprocess.Popen([*RUN, CONFIG], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sum(event["event"] == "trial_finished" for event in journal_of(folder / "outputs" / "hpo")) < count:
        assert process.poll() is None
        os.sched_yield()
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_killed_search_ends_with_all_its_trials_and_a_config_of_the_best(tmp_path: Path) -> None:
    for name in ("quickstart", "hpo"):
        shutil.copytree(ROOT / "configs" / name, tmp_path / "configs" / name)
    sweep = tmp_path / "configs" / "hpo" / "sweep.yaml"
    sweep.write_text(sweep.read_text().replace("run_cap: 20", f"run_cap: {TRIALS}"))
    killed_after(3, tmp_path)
    done = subprocess.run([*RUN, CONFIG, "--resume", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert sorted(trial["number"] for trial in result["trials"]) == list(range(1, TRIALS + 1))
    assert {trial["status"] for trial in result["trials"]} == {"done"}
    assert result["best"]["value"] == max(trial["value"] for trial in result["trials"])

    trials = [tmp_path / "outputs" / "hpo" / f"trial_{number}" for number in range(1, TRIALS + 1)]
    executed = [event["job_id"] for trial in trials for event in journal_of(trial) if event["event"] == "job_finished"]
    assert executed.count("corpus/execution/0") == 1
    assert executed.count("search/probe/0") == 1
    assert executed.count("search/execution/0") == TRIALS

    again = subprocess.run([*RUN, result["best_config"], "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    (evaluated,) = json.loads(again.stdout)["context_infos"]["search"][-1]["results"]
    assert evaluated["accuracy"] == result["best"]["value"]
