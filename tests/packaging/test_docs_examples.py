"""Every example of the documentation works.

A fenced block with `file=NAME` after its language is written to a folder of its page. Of those, `complete` YAML passes
`djsandbox validate` there, and `runs` YAML passes `djsandbox run`; test files pass pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(?P<language>\w+)[ \t]*(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block of a page that is a file."""

    name: str
    text: str
    words: frozenset[str]


def examples(page: Path) -> list[Example]:
    found = []
    for block in _FENCE.finditer(page.read_text(encoding="utf-8")):
        words = block["words"].split()
        name = next((word.removeprefix("file=") for word in words if word.startswith("file=")), None)
        if name is not None:
            found.append(Example(name, block["text"], frozenset(words)))
    return found


def written(page: Path, folder: Path) -> list[Example]:
    found = examples(page)
    assert len({example.name for example in found}) == len(found), "two examples of one page have one file name"
    for example in found:
        path = folder / example.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    return found


def djsandbox(*arguments: str, folder: Path) -> str:
    """The output of a command that must succeed."""
    program = str(Path(sys.executable).parent / "djsandbox")
    done = subprocess.run(
        [program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def pages_with(*words: str) -> list[Path]:
    return [page for page in PAGES if page.exists() and any(example.words & set(words) for example in examples(page))]


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages_with("complete", "runs"), ids=page_id)
def test_every_complete_config_of_a_page_is_valid(page: Path, tmp_path: Path) -> None:
    for example in written(page, tmp_path):
        if example.words & {"complete", "runs"}:
            djsandbox("validate", example.name, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("runs"), ids=page_id)
def test_every_config_of_a_page_that_is_said_to_run_runs(page: Path, tmp_path: Path) -> None:
    for example in written(page, tmp_path):
        if "runs" in example.words:
            djsandbox("run", example.name, folder=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_python_example_of_a_page_can_be_imported(page: Path, tmp_path: Path) -> None:
    for example in written(page, tmp_path):
        if example.name.endswith(".py") and not example.name.startswith("test_"):
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", f"import {Path(example.name).stem}"],
                cwd=(tmp_path / example.name).parent,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr


def test_the_tests_that_the_plugin_guide_shows_pass(tmp_path: Path) -> None:
    for page in (ROOT / "docs" / "plugins" / "components.md", ROOT / "docs" / "plugins" / "testing.md"):
        written(page, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=page_id)
def test_every_link_of_a_page_to_another_leads_somewhere(page: Path) -> None:
    for link in _LINK.finditer(page.read_text(encoding="utf-8")):
        target, _, anchor = link["target"].partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page_id(page)}: {link['target']}"
        if anchor:
            headings = {_anchor(heading) for heading in _HEADING.findall(path.read_text(encoding="utf-8"))}
            assert anchor in headings, f"{page_id(page)}: {link['target']}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
