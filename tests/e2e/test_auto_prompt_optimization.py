"""configs/auto_prompt_optimization as its reader runs it: by the commands in the header of its config."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "configs/auto_prompt_optimization"


def commands() -> list[list[str]]:
    """The commands of the header, without `uv run`, which would install what is installed here."""
    header = (FOLDER / "sandbox.yaml").read_text().split("\nproject_name", 1)[0].replace(" \\\n#", "")
    return [shlex.split(line)[2:] for line in re.findall(r"^#   (uv run .*)$", header, re.MULTILINE)]


def run(command: list[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI", "DASHSCOPE"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(command, cwd=cwd, env={**environment, **variables}, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "configs/auto_prompt_optimization")
    return tmp_path


def mse_by_hand(graded: Path) -> float:
    rows = [json.loads(line) for line in graded.read_text().splitlines()]
    return sum((float(row["grade"]) - row["truth"]) ** 2 for row in rows) / len(rows)


@pytest.mark.slow
def test_better_prompts_are_found_iteration_by_iteration_until_the_grades_are_right(folder: Path) -> None:
    offline, _ = commands()
    done = run([*offline, "--json"], folder)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["targets_met"]
    assert result["iterations"] > 2
    out = folder / "outputs/auto_prompt_optimization"
    tables = [table["rows"] for table in result["tables"] if table["title"].startswith("Prompts of iteration")]
    assert len(tables) == result["iterations"]
    for number, rows in enumerate(tables, start=1):
        by_hand = sorted(mse_by_hand(path) for path in (out / "graded" / f"iter_{number}").glob("*_inference.jsonl"))
        assert [row[0] for row in rows] == pytest.approx(by_hand)
    best = [rows[0][0] for rows in tables]
    assert best == sorted(best, reverse=True)
    assert best[0] > best[-2] > 0.1 >= best[-1]
    for check in ("Recalculate", "final answer", "numbers of the question"):
        assert check in tables[-1][0][2]


def test_the_command_for_an_endpoint_of_ones_own_is_valid(folder: Path) -> None:
    _, own = commands()
    assert own[:2] == ["djsandbox", "run"]
    options = [word.replace("<model>", "some-model") for word in own[2:] if word != "--resume"]
    done = run(
        ["djsandbox", "validate", *options], folder, OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="sk-1234567"
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_without_a_key_or_an_endpoint_it_says_what_is_missing(folder: Path) -> None:
    done = run(["djsandbox", "validate", "configs/auto_prompt_optimization/sandbox.yaml"], folder)
    assert done.returncode != 0
    assert "neither OPENAI_API_KEY nor DASHSCOPE_API_KEY is set" in done.stderr
