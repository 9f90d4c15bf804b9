from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.envs import EnvironmentFailed, EnvRecipe, environment_for, find_environment, problems
from djsandbox.envs.store import Store
from djsandbox.errors import ConfigError

ASK = """
import json, sys
from djsandbox.envs import EnvRecipe, environment_for
ready = environment_for(EnvRecipe(**json.loads(sys.argv[1])))
print(ready.path, ready.packages["alpha"])
"""


def ask(recipe: EnvRecipe) -> subprocess.Popen[str]:
    """Another process that asks for the environment."""
    wanted = ("name", "requirements", "pip_options", "check")
    details = json.dumps({name: getattr(recipe, name) for name in wanted})
    return subprocess.Popen([sys.executable, "-c", ASK, details], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def builds(store: Path) -> list[str]:
    return sorted(os.listdir(store / "builds")) if (store / "builds").exists() else []


def test_an_environment_holds_what_its_recipe_says_and_is_then_only_found(
    recipe: Callable[..., EnvRecipe], store: Path, tmp_path: Path
) -> None:
    count = tmp_path / "checked"
    small = recipe(
        "beta", constraints=("alpha<2",), variables={"MY_FLAG": "it's on"},
        check=("python", "-c", f"import alpha, os; open({str(count)!r}, 'a').write(os.environ['MY_FLAG'] + alpha.VERSION)"),
    )  # fmt: skip
    assert find_environment(small) is None
    lines: list[str] = []
    made = environment_for(small, on_line=lines.append)
    assert made.packages == {"alpha": "1.0", "beta": "1.0"}
    assert any("installing its packages" in line for line in lines)
    again, found = environment_for(small), find_environment(small)
    assert found is not None and again.path == made.path == found.path
    assert count.read_text() == "it's on1.0"
    assert len(builds(store)) == 1
    done = again.run_cmd('python -c "import beta" && echo "$MY_FLAG"', on_line=None)
    assert done.last_lines == ("it's on",)
    assert again.variables()["MY_FLAG"] == "it's on"
    assert again.variables()["VIRTUAL_ENV"] == str(made.path)


def test_a_changed_recipe_is_another_environment_beside_the_first(recipe: Callable[..., EnvRecipe], store: Path) -> None:
    one, two = environment_for(recipe("alpha==1.0")), environment_for(recipe("alpha==2.0"))
    assert one.path != two.path and one.hash != two.hash
    assert (one.packages["alpha"], two.packages["alpha"]) == ("1.0", "2.0")
    assert len(builds(store)) == 2
    assert environment_for(recipe("alpha==1.0")).path == one.path


def test_a_job_may_choose_name_and_manager_and_change_the_recipe(recipe: Callable[..., EnvRecipe]) -> None:
    ready = environment_for(recipe("alpha==1.0"), manager="uv", name="it's mine; 数据", params={"requirements": ["alpha==2.0"]})
    assert ready.packages == {"alpha": "2.0"}
    assert ready.name == "it's mine; 数据"
    assert ready.path.parent.name.startswith("it_s_mine-")


def test_what_comes_later_is_installed_later(recipe: Callable[..., EnvRecipe], tmp_path: Path) -> None:
    from djsandbox.envs import InstallStep

    file = tmp_path / "it's requirements.txt"
    file.write_text("beta\n")
    small = recipe("alpha==1.0", later=(InstallStep(requirement_files=(str(file),)), InstallStep(("alpha==2.0",), (), ("-U",))))
    lines: list[str] = []
    ready = environment_for(small, on_line=lines.append)
    assert ready.packages == {"alpha": "2.0", "beta": "1.0"}
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("[djsandbox]")] == [
        "making it with uv", "installing its packages", "installing what comes later, step 1",
        "installing what comes later, step 2", "reading what it holds",
    ]  # fmt: skip


def test_a_failing_check_leaves_nothing_but_the_log_and_tells_its_last_lines(
    recipe: Callable[..., EnvRecipe], store: Path
) -> None:
    small = recipe("alpha", check=("python", "-c", "print('libcudart is missing'); raise SystemExit(3)"))
    with pytest.raises(EnvironmentFailed, match="failed at checking that it works") as caught:
        environment_for(small)
    text = str(caught.value)
    log = next((store / "logs").iterdir())
    assert "libcudart is missing" in text and "exit code 3" in text and f"full log: {log}" in text
    assert "alpha" in log.read_text() and "libcudart is missing" in log.read_text()
    assert builds(store) == [] and find_environment(small) is None


BACKEND_THAT_TELLS_WHO_MAY_READ = """
import os, shutil
def build_wheel(folder, *_, **__):
    with open({told!r}, "w") as file:
        for place, _, names in os.walk({builds!r}):
            if place.endswith("/requirements"):
                file.writelines(f"{{os.stat(os.path.join(place, name)).st_mode & 0o777:o}}\\n" for name in names)
    return shutil.copy({wheel!r}, folder).rpartition("/")[2]
"""


def test_the_password_of_an_index_is_read_by_nobody_else_and_nowhere_when_the_environment_is_made(
    store: Path, tmp_path: Path, wheels: Path
) -> None:
    project, told = tmp_path / "project", tmp_path / "told"
    project.mkdir()
    wheel = wheels / "alpha-1.0-py3-none-any.whl"
    details = {"told": str(told), "builds": str(store / "builds"), "wheel": str(wheel)}
    (project / "backend.py").write_text(BACKEND_THAT_TELLS_WHO_MAY_READ.format(**details))
    (project / "pyproject.toml").write_text('[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n')
    file = tmp_path / "requirements.txt"
    file.write_text(f"--extra-index-url https://me:secret-word@index.invalid/simple\n--no-index\n{project.as_uri()}\n")
    small = EnvRecipe("small", requirement_files=(str(file),), constraints=("alpha<2",))
    ready = environment_for(small)
    assert ready.packages["alpha"] == "1.0"
    assert told.read_text().split() == ["600", "600"]
    kept = [path for path in store.rglob("*") if path.is_file() and b"secret-word" in path.read_bytes()]
    assert kept == []


def test_a_requirement_that_cannot_be_had_leaves_nothing(recipe: Callable[..., EnvRecipe], store: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="failed at installing its packages") as caught:
        environment_for(recipe("gamma"))
    assert "gamma" in str(caught.value)
    assert builds(store) == []


def test_five_processes_at_once_make_it_once_and_all_get_it(
    recipe: Callable[..., EnvRecipe], store: Path, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    small = recipe("alpha==1.0", check=("python", "-c", f"open({str(count)!r}, 'a').write('x')"))
    processes = [ask(small) for _ in range(5)]
    said = [process.communicate(timeout=300) for process in processes]
    assert {process.returncode for process in processes} == {0}, said
    assert len({out for out, _ in said}) == 1
    assert said[0][0].strip().endswith(" 1.0")
    assert count.read_text() == "x"
    assert len(builds(store)) == 1


WAITS = """import os, sys, time
announced, go = sys.argv[1:]
with open(announced + "~", "w") as file: file.write(str(os.getpid()))
os.rename(announced + "~", announced)
while not os.path.exists(go): time.sleep(0.01)
"""
WAITING_BACKEND = """
import runpy, sys
def build_wheel(folder, *_, **__):
    sys.argv = ["x", {announced!r}, {go!r}]
    runpy.run_path({script!r})
    import shutil
    return shutil.copy({wheel!r}, folder).rpartition("/")[2]
"""


def killed_in(recipe: EnvRecipe, announced: Path, becomes_true: Callable[..., bool]) -> int:
    """Kill the process that makes the environment when `announced` is there; the id of the process that wrote it."""
    process = ask(recipe)
    assert becomes_true(lambda: announced.exists() or process.poll() is not None)
    assert announced.exists(), process.communicate()
    process.kill()
    process.communicate()
    return int(announced.read_text())


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("moment", ["checking", "installing"])
def test_kill_9_in_the_middle_is_repaired_by_the_next_call(
    moment: str, recipe: Callable[..., EnvRecipe], store: Path, tmp_path: Path, wheels: Path, becomes_true: Callable[..., bool]
) -> None:
    announced, go, script = tmp_path / "announced", tmp_path / "go", tmp_path / "waits.py"
    script.write_text(WAITS)
    if moment == "checking":
        small = recipe("alpha==1.0", check=("python", str(script), str(announced), str(go)))
    else:
        project = tmp_path / "slow to build"
        project.mkdir()
        wheel = wheels / "alpha-1.0-py3-none-any.whl"
        details = {"announced": str(announced), "go": str(go), "script": str(script), "wheel": str(wheel)}
        (project / "backend.py").write_text(WAITING_BACKEND.format(**details))
        (project / "pyproject.toml").write_text('[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n')
        small = recipe("beta", str(project))
    pid = killed_in(small, announced, becomes_true)
    assert find_environment(small) is None
    assert becomes_true(lambda: is_gone(pid))
    go.touch()
    ready = environment_for(small)
    assert ready.packages["alpha"] == "1.0"
    ready.run_cmd(["python", "-c", "import alpha"], on_line=None)
    assert builds(store) == [ready.path.parent.name]


def test_whoever_waits_goes_on_when_the_one_at_work_is_killed(
    recipe: Callable[..., EnvRecipe], store: Path, tmp_path: Path, becomes_true: Callable[..., bool]
) -> None:
    announced, go, script = tmp_path / "announced", tmp_path / "go", tmp_path / "waits.py"
    script.write_text(WAITS)
    small = recipe("alpha==1.0", check=("python", str(script), str(announced), str(go)))
    first = ask(small)
    assert becomes_true(announced.exists)
    waiting = ask(small)
    go.touch()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    out, err = waiting.communicate(timeout=300)
    assert waiting.returncode == 0, err
    assert out.strip().endswith(" 1.0")


def test_an_environment_whose_interpreter_is_gone_is_made_again(recipe: Callable[..., EnvRecipe], store: Path) -> None:
    small = recipe("alpha==1.0")
    first = environment_for(small)
    first.python.unlink()
    assert find_environment(small) is None
    again = environment_for(small)
    assert again.path != first.path and again.python.exists()
    assert builds(store) == [again.path.parent.name]


def test_a_store_that_was_moved_is_not_taken_for_whole(
    recipe: Callable[..., EnvRecipe], store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small = recipe("alpha==1.0")
    environment_for(small)
    store.rename(tmp_path / "moved")
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "moved"))
    assert find_environment(small) is None
    assert "moved" in str(Store().entries()[0].problem)
    assert environment_for(small).packages == {"alpha": "1.0"}


def test_offline_an_environment_comes_from_what_is_here_or_fails_at_once(
    recipe: Callable[..., EnvRecipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment_for(recipe("alpha"), offline=True).packages == {"alpha": "2.0"}
    monkeypatch.setenv("DJSANDBOX_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", os.environ["DJSANDBOX_ENVS"] + "/no cache")
    with pytest.raises(EnvironmentFailed, match="six"):
        environment_for(EnvRecipe("online", requirements=("six",)))


@pytest.mark.slow
@pytest.mark.parametrize("manager", ["venv", "uv"])
def test_scripts_of_an_environment_run_from_where_it_was_made(
    manager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "it's a store"))  # pip's scripts start at no path with a $ in it
    small = EnvRecipe("scripts", requirements=("pyjokes",))
    ready = environment_for(small, manager=manager)
    assert ready.run_cmd(["pyjoke"], on_line=None).returncode == 0


def test_conda_makes_environments_by_prefix(
    recipe: Callable[..., EnvRecipe], stand_in: Callable[[str], object], store: Path
) -> None:
    conda = stand_in("micromamba")
    ready = environment_for(recipe("alpha==1.0", python=".".join(map(str, sys.version_info[:2]))), manager="micromamba")
    assert ready.packages["alpha"] == "1.0"
    version = ".".join(map(str, sys.version_info[:2]))
    assert conda.calls() == [["create", "-y", "-p", str(ready.path), f"python={version}"]]  # type: ignore[attr-defined]
    assert ready.variables()["CONDA_PREFIX"] == str(ready.path)


def test_asking_what_is_wrong_writes_nothing(recipe: Callable[..., EnvRecipe], store: Path, tmp_path: Path) -> None:
    assert problems(recipe("alpha")) == []
    before = sorted(tmp_path.rglob("*"))
    missing = problems(recipe("alpha"), manager="micromamba")
    assert "to be made by micromamba, which is not installed here" in missing[0].message
    with pytest.raises(ConfigError, match="micromamba"):
        environment_for(recipe("alpha"), manager="micromamba")
    assert sorted(tmp_path.rglob("*")) == before
    assert not store.exists()
