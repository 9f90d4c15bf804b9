"""The experiment in configs/trinity_rft runs against the stand-in exactly as its header says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "configs/trinity_rft"


def documented(heading: str) -> str:
    """The command in the header that stands below `heading`."""
    lines = [
        line.removeprefix("#").strip() for line in (ROOT / FOLDER / "sandbox.yaml").read_text().splitlines() if line[:1] == "#"
    ]
    text = "\n".join(lines).replace("\\\n", " ")
    (found,) = re.findall(r"^djsandbox run .*$", text[text.index(heading) :].removeprefix(heading), re.MULTILINE)[:1]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the experiment, as the root of the repository is one."""
    (tmp_path / "configs").mkdir()
    (tmp_path / FOLDER).symlink_to(ROOT / FOLDER)
    return tmp_path


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does who has activated the environment."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, env=env)


@pytest.mark.slow
def test_its_documented_dry_run_trains_two_models_and_tells_which_data_was_better(folder):
    done = in_shell(documented("Anywhere"), folder)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (folder / "outputs").iterdir()] == ["trinity_rft-dry-run"]
    infos = json.loads((folder / "outputs/trinity_rft-dry-run/context_infos.json").read_text())["anonymous"]
    rewards = next(job["rewards"] for job in infos if job["meta_name"] == "compare")
    assert rewards["sums_agreement_1"] > rewards["sums_agreement_0"]
    models = next(job["models"] for job in infos if job["meta_name"] == "train")
    assert all((Path(model) / "model.safetensors").is_file() for model in models)


def test_its_documented_run_wants_a_gpu_and_nothing_else(folder):
    """As far as it can be checked without one: `validate` with the same options."""
    command = documented("With GPUs").replace("djsandbox run", "djsandbox validate")
    command = command.replace(" --resume", "").replace("/models/Qwen2.5-1.5B-Instruct", ".")
    done = in_shell(f"CUDA_VISIBLE_DEVICES= {command}", folder)
    problems = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"\b(error|warning): ", line)]
    assert [line for line in problems if "needs a GPU" not in line and "'nvcc'" not in line] == []
    assert problems


def test_the_readme_says_the_same_commands():
    readme = " ".join((ROOT / "plugins/trinity/README.md").read_text().replace("\\\n", " ").split())
    for heading in ("Anywhere", "With GPUs"):
        assert " ".join(documented(heading).split()) in readme
