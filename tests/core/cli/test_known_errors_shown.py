"""On the command line: environments that cannot be made are explained, and the doctor examines what explains."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from djsandbox.cli.main import call
from djsandbox.plugins.index import plugin_index

MODULE = """
from djsandbox import Env, EnvRecipe, KnownError

SAY = ("python", "-c", "print('it wants the teapot'); raise SystemExit(3)")
FAILS = EnvRecipe("fails", managers=("uv",), check=SAY)
TEAPOT = KnownError("there is no teapot", "wants the (tea)pot", "It was lent to somebody.", "Ask for it.")
STRANGE = 3


class Nameless(Env):
    managers = ("another",)
"""
ENTRY_POINTS = """
[djsandbox.env_recipes]
fails = errors_of_mine:FAILS
strange_recipe = errors_of_mine:STRANGE

[djsandbox.env_managers]
nameless = errors_of_mine:Nameless

[djsandbox.launchers]
strange_launcher = errors_of_mine:STRANGE

[djsandbox.known_errors]
teapot = errors_of_mine:TEAPOT
strange_errors = errors_of_mine:STRANGE
"""


@pytest.fixture(autouse=True)
def plugin(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin that has something sound and something strange for several groups."""
    info = tmp_path / "site" / "errors_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: errors-of-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "site" / "errors_of_mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugin_index.cache_clear()
    yield
    plugin_index.cache_clear()
    sys.modules.pop("errors_of_mine", None)


def test_an_environment_that_cannot_be_made_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "create", "fails"]) == 1
    told = capsys.readouterr().err
    begin = told.index("    known error: there is no teapot\n")
    assert told[begin:].splitlines()[1:4] == [
        "        it wants the teapot",
        "        why: It was lent to somebody.",
        "        what to do: Ask for it.",
    ]
    assert "failed at checking that it works" in told[:begin] and "full log:" in told[begin:]


def test_the_doctor_examines_known_errors_recipes_managers_and_launchers(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "doctor", "--json"]) == 1
    found = {row["type"]: row["problem"] for row in json.loads(capsys.readouterr().out) if row["package"] == "errors-of-mine"}
    assert found["teapot"] is None and found["fails"] is None
    assert "holds a value of type 'int', not known errors" in found["strange_errors"]
    assert "is no EnvRecipe but int" in found["strange_recipe"]
    assert "its class does not name the manager" in found["nameless"]
    assert "an int, not a class" in found["strange_launcher"]
