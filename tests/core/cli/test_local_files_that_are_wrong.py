"""A local file that cannot be used is told at the line that has to be mended, or with the names that may be meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.cli.main import call

Validate = Callable[..., list[str]]

GOOD = """
import enum

from djsandbox import BaseEvaluator, ComponentConfig


class Colour(enum.Enum):
    RED = 1


class Settings(ComponentConfig):
    size: int = 1


class _Shared(BaseEvaluator):
    pass


class Mean(_Shared):
    Config = Settings

    def run(self, eval_type, eval_obj=None, **kwargs):
        return 1.0


class Median(Mean):
    pass
"""


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Validate:
    """The errors of a config with a job of each of these types, each with its remedy on the same line."""
    monkeypatch.chdir(tmp_path)

    def told(*types: str, **files: str) -> list[str]:
        for name, text in files.items():
            Path(f"{name}.py").write_text(text)
        jobs = "".join(f"  - hook: EvaluateModelHook\n    extra_configs: {{type: '{type_name}'}}\n" for type_name in types)
        Path("c.yaml").write_text(f"evaluation_job_configs:\n{jobs}")
        code = call(["validate", "c.yaml"])
        lines = [line for line in capsys.readouterr().err.replace("\n    ", " | ").splitlines() if " error: " in line]
        assert code == (2 if lines else 0)
        return lines

    return told


def test_a_file_without_a_class_is_answered_with_the_components_in_it(validate: Validate) -> None:
    (line,) = validate("./good.py", good=GOOD)
    assert line.startswith("c.yaml:3: error: type './good.py' of model_evaluators is incomplete: it names a file, and nothing")
    assert line.endswith('| write "./good.py:Mean" or "./good.py:Median"')
    (line,) = validate("good.py:")
    assert line.endswith('| write "good.py:Mean" or "good.py:Median"')


def test_classes_whose_bases_are_elsewhere_are_named_where_none_is_known_to_fit(validate: Validate) -> None:
    source = "from .base import Base\n\nclass Own(Base): ...\n\nclass Plain: ...\n\nclass Keys(ComponentConfig): ...\n"
    (line,) = validate("./own.py", own=source)
    assert line.endswith('| write "./own.py:Own"')


@pytest.mark.parametrize("text", ["X = 1\n", "", "def f(:\n"])
def test_a_file_in_which_nothing_can_be_seen_is_answered_all_the_same(validate: Validate, text: str) -> None:
    (line,) = validate("./other.py", other=text)
    assert line.endswith('| write "./other.py:Class"; no class derived from BaseEvaluator can be seen in it')


def test_a_file_without_a_class_that_is_not_there_is_answered_with_the_nearest(validate: Validate) -> None:
    (line,) = validate("./godo.py", good=GOOD)
    assert "there is no file" in line and line.endswith("| did you mean 'good.py'?")


def test_a_file_that_has_no_component_says_so(validate: Validate) -> None:
    (line,) = validate("./plain.py:Mean", plain="class Maen:\n    pass\n")
    assert "plain.py has no 'Mean'" in line
    assert line.endswith("| there is no class derived from BaseEvaluator in it: write one")


def test_a_syntax_error_is_told_once_at_its_line(validate: Validate) -> None:
    (line,) = validate("./bad.py:Mean", "./bad.py:Mean", bad="import os\n\nclass Mean(:\n    pass\n")
    assert line.startswith("bad.py:3: error: type './bad.py:Mean' of model_evaluators cannot be loaded: SyntaxError: ")
    assert line.endswith("| mend bad.py")


def test_a_syntax_error_of_a_file_beside_it_is_told_there(validate: Validate) -> None:
    (line,) = validate("./good.py:Mean", good=f"from .helper import x\n{GOOD}", helper="x = 1\ny = = 2\n")
    assert line.startswith("helper.py:2: error: ") and "SyntaxError" in line


def test_what_a_file_raises_is_told_at_the_line_that_raises_it(validate: Validate) -> None:
    (line,) = validate("./good.py:Mean", good=f"import json\njson.loads('{{')\n{GOOD}")
    assert line.startswith("good.py:2: error: ") and "JSONDecodeError" in line
    (line,) = validate(
        "./good.py:Mean", good=f"from .helper import half\nhalf(0)\n{GOOD}", helper="def half(x):\n    return 1 / x\n"
    )
    assert line.startswith("helper.py:2: error: ") and "ZeroDivisionError" in line


def test_a_missing_import_is_told_at_its_line_with_what_is_missing(validate: Validate) -> None:
    (line,) = validate("./good.py:Mean", good=f"{GOOD}\nimport surely_not_there.inside\n")
    assert line.startswith(f"good.py:{len(GOOD.splitlines()) + 2}: error: ")
    assert line.endswith("| install what has the module 'surely_not_there' in the environment of djsandbox, or mend the import")


def test_the_doctor_is_not_recommended_for_local_files(validate: Validate) -> None:
    for text in ("import surely_not_there", "1/0", "def f(:", "raise SystemExit(3)"):
        (line,) = validate("./bad.py:Mean", bad=text)
        assert line.startswith("bad.py:1: error: ") and "doctor" not in line


def test_a_good_file_is_no_error(validate: Validate) -> None:
    assert validate("./good.py:Mean", "./good.py:Median", good=GOOD) == []
