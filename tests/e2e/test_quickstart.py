"""The quickstart as a newcomer runs it: in a process of its own, from a copy of its folder, smaller here than by default."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALLER = ["--set", "corpus.collect.extra_configs.max_documents=3000"]

pytestmark = pytest.mark.slow


def command(config: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "djsandbox", "run", f"configs/quickstart/{config}", *SMALLER, *options]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "configs/quickstart", tmp_path / "configs/quickstart")
    return tmp_path


def run(folder: Path, config: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(command(config, *options, "--json"), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def finished(work_dir: Path) -> list[str]:
    journal = work_dir / "journal.jsonl"
    events = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    return [event["job_id"] for event in events if event["event"] == "job_finished"]


def kill_after(jobs: int, folder: Path) -> None:
    """Run the quickstart and kill it with SIGKILL when that many jobs have finished."""
    process = subprocess.Popen(command("sandbox.yaml"), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(finished(folder / "outputs/quickstart")) < jobs:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    process.kill()
    process.wait()


def test_a_killed_run_resumed_ends_as_an_undisturbed_one_and_repeats_no_finished_job(folder: Path) -> None:
    whole = run(folder, "sandbox.yaml")
    assert whole["reused"] == []
    shutil.rmtree(folder / "outputs")
    kill_after(4, folder)
    before = finished(folder / "outputs/quickstart")
    resumed = run(folder, "sandbox.yaml", "--resume")
    assert resumed["reused"][: len(before)] == before
    assert set(resumed["reused"]) | set(resumed["executed"]) == set(whole["executed"])
    assert resumed["context_infos"] == whole["context_infos"]
    again = run(folder, "sandbox.yaml", "--resume")
    assert again["executed"] == []
    assert again["context_infos"] == whole["context_infos"]


def test_the_table_at_the_end_names_the_baseline_and_calls_noise_noise(folder: Path) -> None:
    done = subprocess.run(command("without_datajuicer.yaml"), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "vs. baseline" in done.stdout
    assert any(line.endswith("baseline") for line in lines)
    assert any("noise: the interval contains 0" in line for line in lines)
