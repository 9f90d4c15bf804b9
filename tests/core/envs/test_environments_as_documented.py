"""The small example of the page about environments of plugins runs as it is printed, with the package from the registry."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "plugins" / "environments.md"
_FILE = re.compile(r"^```\w+ file=(?P<name>\S+)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"`djsandbox (?P<rest>[^`]+)`")


@pytest.fixture
def printed(tmp_path: Path) -> str:
    """The section, whose files are written."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## A small one, which runs") : text.index("## A large one")]
    for block in _FILE.finditer(section):
        (tmp_path / block["name"]).write_text(block["text"], encoding="utf-8")
    return section


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], str]:
    def typed(line: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return typed


def share(folder: Path) -> float:
    (infos,) = (folder / "outputs").rglob("context_infos.json")
    return float(json.loads(infos.read_text())["anonymous"][0]["share"])


@pytest.mark.slow
def test_the_small_example_runs_as_printed(printed: str, shell: Callable[[str], str], tmp_path: Path) -> None:
    commands = [f"djsandbox {found['rest']}" for found in _COMMAND.finditer(printed)]
    plan, run, listed, other = commands
    assert "ftfy (to be made)" in shell(plan)
    shell(run)
    assert share(tmp_path) == 0.5 and "gives a share of 0.5" in printed
    assert "ftfy-" in shell(listed)
    assert shell(other).strip() == "café"
    assert "ftfy (uv)" in shell(plan) or "ftfy (venv)" in shell(plan)
    config = tmp_path / "garbled.yaml"
    (params,) = re.findall(r"`(env_params: [^`]+)`", printed)
    config.write_text(f"{config.read_text().rstrip()}\n      {params}\n")
    shell(f"{run} --resume")
    journal = next((tmp_path / "outputs").rglob("journal.jsonl")).read_text()
    assert '"ftfy": "6.3.1"' in journal or '"ftfy":"6.3.1"' in journal
    assert '"ftfy": "6.2.3"' in journal or '"ftfy":"6.2.3"' in journal
