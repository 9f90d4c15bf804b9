"""The two READMEs say the same, and the commands they show exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
_SHELL = re.compile(r"^```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^```(?:shell|text|toml|json|yaml)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:uv run |\.venv/bin/)?djsandbox [^`]+)`")


def commands(page: Path) -> Iterator[list[str]]:
    """What the page's shell blocks and inline commands run, program first."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in _SHELL.findall(text) for line in block.splitlines()] + _INLINE.findall(text)
    for line in lines:
        for command in line.split("&&"):
            words = shlex.split(command)
            if words[:2] == ["uv", "run"]:
                words = words[2:]
            yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def test_both_languages_show_the_same_commands_and_configs() -> None:
    english, chinese = (_CODE.findall(page.read_text(encoding="utf-8")) for page in PAGES)
    assert english == chinese
    assert len(english) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_two_commands_of_the_newcomer_stand_first(page: Path) -> None:
    first, second = _SHELL.findall(page.read_text(encoding="utf-8"))[:2]
    assert first == "pip install uv && uv run djsandbox run configs/quickstart/sandbox.yaml\n"
    assert second == "uv run pytest\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_djsandbox_command_exists(page: Path) -> None:
    used = {words[1] for words in commands(page) if words[0] == "djsandbox"}
    assert used >= {"run", "validate"}
    for command in used:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "djsandbox"), command, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_a_command_names_is_there(page: Path) -> None:
    shown = set(re.findall(r"file=(\S+)", page.read_text(encoding="utf-8")))
    for words in commands(page):
        for word in words[1:]:
            if re.search(r"\.(yaml|txt|toml)$", word) and word not in shown:
                assert (ROOT / word).is_file(), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_package_of_the_workspace_is_listed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for pyproject in [ROOT / "core" / "pyproject.toml", *(ROOT / "plugins").glob("*/pyproject.toml")]:
        folder = pyproject.parent
        name = "djsandbox" if folder.name == "core" else f"djsandbox-{folder.name}"
        assert f"[`{name}`]({folder.relative_to(ROOT)}/README.md)" in text
