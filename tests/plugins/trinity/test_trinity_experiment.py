"""The experiment in configs/trinity_rft runs against the stand-in exactly as its header says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "configs/trinity_rft"


def documented(stand_in: Path) -> list[list[str]]:
    """The commands in the header that use the stand-in."""
    comments = [
        line.removeprefix("#").strip() for line in (ROOT / FOLDER / "sandbox.yaml").read_text().splitlines() if line[:1] == "#"
    ]
    text = "\n".join(comments).replace("\\\n", " ").replace("/tmp/stand-in", str(stand_in))
    found = re.findall(r"^(?:python -m djsandbox_trinity\.testing|djsandbox run .*env_manager).*$", text, re.MULTILINE)
    return [shlex.split(line) for line in found]


@pytest.mark.slow
def test_its_documented_lines_train_two_models_and_tell_which_data_was_better(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / FOLDER).symlink_to(ROOT / FOLDER)
    commands = documented(tmp_path / "stand-in")
    assert [command[0] for command in commands] == ["python", "djsandbox"]
    for program, *arguments in commands:
        argv = [sys.executable, *arguments] if program == "python" else [sys.executable, "-m", "djsandbox", *arguments]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    infos = json.loads((tmp_path / "outputs/trinity_rft/context_infos.json").read_text())["anonymous"]
    rewards = next(job["rewards"] for job in infos if job["meta_name"] == "compare")
    assert rewards["sums_agreement_1"] > rewards["sums_agreement_0"]
    models = next(job["models"] for job in infos if job["meta_name"] == "train")
    assert all((Path(model) / "model.safetensors").is_file() for model in models)
