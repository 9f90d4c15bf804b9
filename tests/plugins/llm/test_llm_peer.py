"""The existing sandbox's own experiment with prompts, its config and recipe as they are."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PEER = Path(__file__).with_name("peer")
ROOT = Path(__file__).resolve().parents[3]
SUMS = {
    "dj_configs_prompt_generating.yaml": "d79ee631f9106ca10cc750b9e8376dd73f6042f9643b6176d3f0227ae3ae3657",
    "sandbox_auto_prompt_optimization.yaml": "ef1030e7613e85b8619fd14a9eeb2f9794cd88aa3cc8eba0addf980cb8592fcc",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the config, where it wants to lie, and with data of ours where it looks for its own."""
    configs, data = tmp_path / "configs/auto_prompt_optimization", tmp_path / "configs/data/auto-prompt-optim"
    shutil.copytree(PEER, configs)
    data.mkdir(parents=True)
    ours = ROOT / "configs/auto_prompt_optimization"
    shutil.copy(ours / "prompts.jsonl", data / "demo-dataset-prompts.jsonl")
    shutil.copy(ours / "solutions.jsonl", data / "init_infer_dataset.jsonl")
    return tmp_path


def test_the_files_are_those_of_the_existing_sandbox():
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in PEER.glob("*.yaml")} == SUMS


@pytest.mark.slow
def test_the_existing_sandboxs_config_runs_and_its_second_iteration_starts_from_the_best_of_the_first(folder):
    config = "configs/auto_prompt_optimization/sandbox_auto_prompt_optimization.yaml"
    command = [sys.executable, "-m", "djsandbox", "run", config, "--set", "max_iter_num=2", "--json"]
    program = [sys.executable, "-m", "djsandbox_llm.testing", "--", *command]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["iterations"] == 2
    out = folder / "outputs/auto-prompt-optimization-for-grader-model"

    def prompts(path: str) -> set[str]:
        return {json.loads(line)["prompt"] for line in (out / path).read_text().splitlines()}

    best = prompts("merged_top_generated_prompts/iter_1/new_prompts.jsonl")
    assert len(best) == 3
    assert best < prompts("generated_prompts/iter_2/new_prompts.jsonl")
    graded = (out / "infer_results/iter_2").glob("*_inference.jsonl")
    assert all(json.loads(line)["grades"] in ("0", "1") for path in graded for line in path.read_text().splitlines())
