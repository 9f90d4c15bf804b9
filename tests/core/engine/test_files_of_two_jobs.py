"""Two jobs that name one output file: told where the second overwrites the first, not where both add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import djsandbox
import pytest

PARTS = """
from djsandbox import AppendPath, BaseEvaluator, ComponentConfig, OutputPath


class Add(BaseEvaluator):
    class Config(ComponentConfig):
        report_path: AppendPath
        line: str

    def run(self, eval_type, eval_obj=None, **kwargs):
        with open(self.config.report_path, "a") as report:
            report.write(self.config.line + "\\n")
        return 1.0


class Write(Add):
    class Config(ComponentConfig):
        report_path: OutputPath
        line: str
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("parts.py").write_text(PARTS)


def config(*jobs: tuple[str, str], **more: Any) -> str:
    """A config with a job of each class, which writes to that path."""
    entries = "".join(
        f"  - {{hook: EvaluateDataHook, extra_configs: {{type: './parts.py:{name}', report_path: {path}, line: l{at}}}}}\n"
        for at, (name, path) in enumerate(jobs)
    )
    head = "".join(f"{key}: {value}\n" for key, value in more.items())
    Path("c.yaml").write_text(f"{head}evaluation_job_configs:\n{entries}")
    return "c.yaml"


def test_the_second_job_that_writes_a_file_is_warned_of() -> None:
    (warning,) = djsandbox.validate(config(("Write", "a.txt"), ("Write", "./a.txt")))
    assert "both write './a.txt': the second overwrites the first" in warning.message
    assert warning.where is not None and warning.where.line == 3


def test_jobs_that_add_to_one_file_are_not() -> None:
    assert djsandbox.validate(config(("Add", "a.txt"), ("Add", "./a.txt"))) == ()
    assert djsandbox.validate(config(("Add", "iter_1/a.txt"), ("Add", "a.txt"), max_iter_num=2)) == ()
    djsandbox.run(config(("Add", "a.txt"), ("Add", "./a.txt")))
    assert Path("a.txt").read_text() == "l0\nl1\n"


@pytest.mark.parametrize("names", [("Add", "Write"), ("Write", "Add")])
def test_one_that_adds_beside_one_that_overwrites_is(names: tuple[str, str]) -> None:
    (warning,) = djsandbox.validate(config(*((name, "a.txt") for name in names)))
    assert "both write" in warning.message


def test_what_is_added_to_is_placed_as_other_outputs_are() -> None:
    djsandbox.run(config(("Add", "out/a.txt"), ("Add", "out/a.txt"), max_iter_num=2))
    assert [path.read_text() for path in sorted(Path("out").rglob("a.txt"))] == ["l0\nl1\n"] * 2
