from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
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
"""
NAMES = {"small": "SMALL", "needy": "NEEDY", "strange": "STRANGE"}


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin with three recipes: one that can be made, one that needs something, one that is none."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        with zipfile.ZipFile(wheels / f"alpha-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("alpha.py", "")
            info = f"alpha-{version}.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: alpha\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    info = tmp_path / "site" / "recipes_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: recipes-of-mine\nVersion: 1.0\n")
    lines = "".join(f"{name} = recipes_of_mine:{value}\n" for name, value in NAMES.items())
    (info / "entry_points.txt").write_text(f"[djsandbox.env_recipes]\n{lines}")
    (tmp_path / "site" / "recipes_of_mine.py").write_text(RECIPES.format(wheels=str(wheels)))
    monkeypatch.syspath_prepend(tmp_path / "site")
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


@pytest.mark.parametrize("arguments", [["envs", "--help"], ["envs", "create", "--help"], ["envs", "gc", "--help"]])
def test_help_imports_neither_environments_nor_plugins(arguments: list[str]) -> None:
    code = f"""
import sys
from djsandbox.cli.main import call
code = call({arguments!r})
loaded = [name for name in ("djsandbox.envs", "djsandbox.plugins", "yaml", "pydantic", "stevedore") if name in sys.modules]
sys.exit(f"loaded {{loaded}}" if loaded else code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_environment_is_listed_made_shown_used_and_removed(
    told: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = told("list")
    assert before["environments"] == []
    listed = {row["recipe"]: row["made"] for row in before["recipes"]}  # with those of whatever plugins are installed
    assert {name: listed[name] for name in ("needy", "small", "strange")} == {"needy": False, "small": False, "strange": False}
    made = told("create", "small")
    assert made["made"] is True and made["environment"].startswith("small-")
    assert told("create", "small")["made"] is False
    (row,) = told("list")["environments"]
    assert (row["recipe"], row["manager"], row["state"], row["current"]) == ("small", "uv", "ready", True)
    assert told("show", "small")["environment"]["packages"] == {"alpha": "1.0"}
    capsys.readouterr()
    code = "import os, sys; print(sys.argv[1:], os.environ['MY_FLAG']); sys.exit(7)"
    assert call(["envs", "run", "small", "--", "python", "-c", code, "it's", "--json", "$HOME"]) == 7
    assert capsys.readouterr().out == "[\"it's\", '--json', '$HOME'] it's on\n"
    assert told("remove", "small", "--dry-run") == {"removed": [], "would_remove": [row["environment"]]}
    assert told("remove", "small") == {"removed": [row["environment"]], "would_remove": []}
    assert told("list")["environments"] == []
    assert os.listdir(Path(os.environ["DJSANDBOX_ENVS"]) / "builds") == []


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(told: Callable[..., Any], tmp_path: Path) -> None:
    planned = told("create", "small", "--dry-run", "--manager", "venv", "--param", "requirements=[alpha==2.0]")
    assert planned["manager"] == "venv" and planned["made"] is False
    assert planned["steps"][0].startswith("install alpha==2.0 --no-index")
    assert not (tmp_path / "store").exists()


def test_json_says_apart_whether_an_environment_is_there_and_whether_this_call_made_it(told: Callable[..., Any]) -> None:
    def states(*options: str) -> tuple[bool, bool]:
        said = told("create", "small", *options)
        return said["exists"], said["made"]

    assert states("--dry-run") == (False, False)
    assert states() == (True, True)
    assert states() == (True, False)
    assert states("--dry-run") == (True, False)
    theirs = ("create", "small", "--manager", "existing", "--param", f"path={sys.prefix}")
    for said in (told(*theirs, "--dry-run"), told(*theirs)):
        assert (said["environment"], said["exists"], said["made"]) == (
            None,
            True,
            False,
        )  # it has no key: it is not in the store


def test_parameters_change_what_is_made(told: Callable[..., Any]) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    params = ["requirements=[alpha==2.0]", f"python={version}", "variables.MY_FLAG=off"]
    options = [word for text in params for word in ("--param", text)]
    made = told("create", "small", "--env-name", "mine", "--offline", *options)
    assert made["environment"].startswith("mine-")
    shown = told("show", "mine")["environment"]
    assert shown["packages"] == {"alpha": "2.0"}
    assert (shown["name"], shown["recipe"]) == ("mine", "small")


def test_a_parameter_that_is_a_value_and_has_some_below_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "create", "small", "--param", "a=1", "--param", "a.b=2"]) == 2
    assert "--param a.b: 'a' has a value already" in capsys.readouterr().err


def test_what_a_recipe_needs_is_told_and_nothing_is_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call(["envs", "create", "needy"]) == 2
    said = capsys.readouterr().err
    assert "the environment 'needy' needs no-such-tool, which is not installed, for everything" in said and "buy it" in said
    assert call(["envs", "show", "needy"]) == 0
    printed = capsys.readouterr()
    assert "install alpha" in printed.out and "no-such-tool" in printed.err
    assert not (tmp_path / "store").exists()


def test_the_doctor_tells_what_is_broken(told: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = told("create", "small")
    found = told("doctor", code=1)
    assert {row["manager"] for row in found["managers"] if row["available"]} >= {"venv", "existing"}
    recipes = {row["recipe"]: row for row in found["recipes"]}
    assert recipes["strange"]["broken"] and "is no EnvRecipe but int" in recipes["strange"]["problems"][0]["message"]
    assert not recipes["needy"]["broken"] and recipes["needy"]["problems"]
    assert found["environments"] == [{"environment": made["environment"], "problem": None}]
    Path(made["python"]).unlink()
    assert told("doctor", code=1)["environments"][0]["problem"] == "its interpreter is gone"
    assert call(["envs", "doctor"]) == 1
    assert "its interpreter is gone" in capsys.readouterr().out
    assert call(["envs", "run", "small", "--", "true"]) == 2
    assert "cannot be used: its interpreter is gone" in capsys.readouterr().err


def test_gc_removes_what_is_unused_broken_or_unfinished_and_nothing_else(told: Callable[..., Any], tmp_path: Path) -> None:
    old, new = told("create", "small"), told("create", "small", "--env-name", "new")
    broken = told("create", "small", "--env-name", "broken")
    Path(broken["python"]).unlink()
    unused = time.time() - 40 * 86_400
    os.utime(Path(old["path"]).parent / "used", (unused, unused))
    left = tmp_path / "store" / "builds" / "small-0123456789ab.00000000"
    left.mkdir()
    names = {broken["environment"], left.name}
    assert set(told("gc", "--dry-run", "--older-than", "50")["would_remove"]) == names
    assert set(told("gc")["removed"]) == {*names, old["environment"]}
    (row,) = told("list")["environments"]
    assert row["path"] == new["path"]
    assert os.listdir(tmp_path / "store" / "builds") == [Path(new["path"]).parent.name]


def test_an_environment_in_use_is_kept(told: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = told("create", "small")
    code = "import sys; print('ready', flush=True); open(sys.argv[1]).read()"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    argv = [sys.executable, "-m", "djsandbox", "envs", "run", made["environment"], "--", "python", "-c", code, str(fifo)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdout.readline() == "ready\n"
        try:
            assert call(["envs", "remove", "small"]) == 1
            assert "is in use" in capsys.readouterr().err
            assert told("gc", "--older-than", "0")["removed"] == []
        finally:
            fifo.write_text("")
    assert running.returncode == 0
    assert told("remove", "small")["removed"]


def test_gc_leaves_alone_what_is_being_made_and_does_not_wait_for_it(told: Callable[..., Any], tmp_path: Path) -> None:
    from djsandbox.envs.store import Store

    store = Store()
    with store.lock("small-0123456789ab"):
        folder = store.begin("small-0123456789ab")
        assert told("doctor", code=1)["unfinished"] == []
        assert told("gc")["removed"] == []
        assert folder.exists()
    assert told("doctor", code=1)["unfinished"] == [folder.name]
    assert told("gc")["removed"] == [folder.name]


def test_a_name_that_means_nothing_or_two_things_is_told(told: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "run", "small", "--", "true"]) == 2
    assert "djsandbox envs create small" in capsys.readouterr().err
    assert call(["envs", "create", "smal"]) == 2
    assert "did you mean 'small'?" in capsys.readouterr().err
    for version in ("1.0", "2.0"):
        told("create", "small", "--env-name", "twice", "--param", f"requirements=[alpha=={version}]")
    assert call(["envs", "run", "twice", "--", "true"]) == 2
    assert "'twice' may mean twice-" in capsys.readouterr().err


def test_progress_goes_to_stderr_and_the_result_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "create", "small"]) == 0
    printed = capsys.readouterr()
    assert "installing its packages" in printed.err
    assert printed.out.startswith("made: ") and len(printed.out.splitlines()) == 1
    assert call(["envs", "list"]) == 0
    assert "small-" in capsys.readouterr().out
