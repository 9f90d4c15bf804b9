"""A plugin with recipes, for the commands about environments."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox.cli.main import call
from djsandbox.plugins.index import plugin_index

RECIPES = """
from djsandbox.envs import EnvRecipe, SystemTool

OPTIONS = ("--no-index", "--find-links", {wheels!r})
SMALL = EnvRecipe("small", requirements=("alpha==1.0",), pip_options=OPTIONS, variables={{"MY_FLAG": "it's on"}})
NEEDY = EnvRecipe("needy", requirements=("alpha",), system_tools=(SystemTool("no-such-tool", "everything", get="buy it"),))
STRANGE = 3
SECRET = EnvRecipe("secret", pip_options=OPTIONS, variables={{"OUR_TOKEN": "of the recipe", "INDEX": "http://me:pass@host/"}})
"""
NAMES = {"small": "SMALL", "needy": "NEEDY", "strange": "STRANGE", "secret": "SECRET"}


@pytest.fixture
def recipes_of_mine(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin with recipes: of one that can be made, one that needs something, one that is none, one with a secret."""
    info = tmp_path / "site" / "recipes_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: recipes-of-mine\nVersion: 1.0\n")
    lines = "".join(f"{name} = recipes_of_mine:{value}\n" for name, value in NAMES.items())
    (info / "entry_points.txt").write_text(f"[djsandbox.env_recipes]\n{lines}")
    (tmp_path / "site" / "recipes_of_mine.py").write_text(RECIPES.format(wheels=str(wheels)))
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "store"))
    plugin_index.cache_clear()
    yield
    plugin_index.cache_clear()
    sys.modules.pop("recipes_of_mine", None)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The JSON that a command prints; its exit code must be as given."""

    def ask(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert call(["envs", *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def run_in() -> Callable[..., subprocess.CompletedProcess[str]]:
    """What came of `djsandbox envs run`, whose place the command takes."""

    def ran(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "djsandbox", "envs", "run", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, **options)

    return ran
