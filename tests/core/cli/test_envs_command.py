from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.cli.main import call
from djsandbox.plugins.index import plugin_index

pytestmark = pytest.mark.usefixtures("recipes_of_mine")


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


def test_an_environment_is_listed_made_shown_used_and_removed(told: Callable[..., Any], run_in: Callable[..., Any]) -> None:
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
    shown = run_in("small", "--", "python", "-c", "import os; print(os.environ['MY_FLAG'])")
    assert shown.stdout == "it's on\n"
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


def test_of_several_that_ask_at_once_one_says_that_it_has_made_the_environment() -> None:
    argv = [sys.executable, "-m", "djsandbox", "envs", "create", "small", "--json"]
    asking = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(3)]
    said = [json.loads(process.communicate(timeout=300)[0]) for process in asking]
    assert sorted(one["made"] for one in said) == [False, False, True]
    assert len({one["path"] for one in said}) == 1


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
    capsys.readouterr()
    assert call(["envs", "doctor"]) == 1
    printed = capsys.readouterr()
    assert "its interpreter is gone" in printed.out
    assert f"error: the environment {made['environment']}: its interpreter is gone" in printed.err
    assert call(["envs", "run", "small", "--", "true"]) == 2
    assert "cannot be used: its interpreter is gone" in capsys.readouterr().err


def test_the_doctor_prints_errors_exactly_where_its_exit_code_is_1(
    told: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [one["severity"] for one in told("doctor", code=1)["problems"] if "strange" in one["message"]] == ["error"]
    (tmp_path / "site" / "recipes_of_mine-1.0.dist-info" / "entry_points.txt").write_text(
        "[djsandbox.env_recipes]\nneedy = recipes_of_mine:NEEDY\n"
    )
    plugin_index.cache_clear()
    found = told("doctor", code=0)
    assert not found["broken"] and {one["severity"] for one in found["problems"]} <= {"warning"}
    assert any("needs no-such-tool" in one["message"] for one in found["problems"])
    assert call(["envs", "doctor"]) == 0
    printed = capsys.readouterr().err
    assert "warning: the environment 'needy' needs no-such-tool" in printed and "error:" not in printed


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
    said = capsys.readouterr().err
    first, second = (row["environment"] for row in told("list")["environments"])
    assert f"'twice' may mean {first} (alpha==" in said and f" or {second} (alpha==" in said
    assert "alpha==1.0" in said and "alpha==2.0" in said and "made by" not in said


def test_progress_goes_to_stderr_and_the_result_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "create", "small"]) == 0
    printed = capsys.readouterr()
    assert "installing its packages" in printed.err
    assert printed.out.startswith("made: ") and len(printed.out.splitlines()) == 1
    assert call(["envs", "list"]) == 0
    assert "small-" in capsys.readouterr().out
