from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from djsandbox.envs import ENV_ROUTER, VirtualEnv
from djsandbox.envs.interpreters import found_interpreter, own_interpreter
from djsandbox.errors import ComponentError, ConfigError
from djsandbox.process.failures import ProcessFailed

NAME = "it's `a` $HOME;echo\n环境"


def python_says(env: VirtualEnv, code: str) -> str:
    return "\n".join(env.run_cmd([str(env.python), "-c", code], on_line=None).last_lines)


def test_the_constructor_looks_nothing_up_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    VirtualEnv(env_name="x", env_manager="uv")
    VirtualEnv()
    assert list(tmp_path.iterdir()) == []


def test_an_environment_is_made_once_whatever_its_name(tmp_path: Path) -> None:
    env = VirtualEnv(env_name=str(tmp_path / NAME), env_manager="uv")
    assert not env.exists()
    env.create()
    assert env.exists()
    before = os.stat(env.path / "pyvenv.cfg")
    env.create()
    assert os.stat(env.path / "pyvenv.cfg") == before
    assert python_says(env, "import sys; print(sys.prefix)") == str(env.path)


def test_a_relative_name_is_a_folder_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    VirtualEnv(env_name="deep/down", env_manager="uv").create()
    assert (tmp_path / "deep" / "down" / "bin" / "python").exists()


def test_an_environment_of_uv_has_no_pip_and_packages_are_installed_all_the_same(
    tmp_path: Path, from_wheels: tuple[str, ...]
) -> None:
    env = VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv")
    env.create()
    env.install_py_deps(["beta", "alpha<2"], pip_options=from_wheels, on_line=None)
    assert python_says(env, "import alpha, beta; print(alpha.VERSION, beta.VERSION)") == "1.0 1.0"
    with pytest.raises(ProcessFailed):
        env.run_cmd(["python", "-m", "pip", "--version"], on_line=None)


@pytest.mark.slow
def test_venv_makes_an_environment_and_its_pip_installs(tmp_path: Path, from_wheels: tuple[str, ...]) -> None:
    env = VirtualEnv(env_name=str(tmp_path / NAME))
    assert env.env_manager == "venv"
    assert env.check_availability()
    env.create()
    env.install_py_deps(["beta", "alpha<2"], pip_options=from_wheels, on_line=None)
    assert python_says(env, "import alpha; print(alpha.VERSION)") == "1.0"
    assert env.run_cmd("python -m pip --version", on_line=None).returncode == 0


@pytest.mark.slow
def test_virtualenv_makes_an_environment_of_the_python_that_is_asked_for(
    tmp_path: Path, from_wheels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = VirtualEnv(env_name=str(tmp_path / "tool"), env_manager="uv")
    tool.create()
    tool.install_py_deps(["virtualenv"], on_line=None)
    assert not VirtualEnv(env_name="x", env_manager="virtualenv").check_availability()
    monkeypatch.setenv("PATH", str(tool.path / "bin"), prepend=os.pathsep)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    env = VirtualEnv(env_name=str(tmp_path / NAME), env_manager="virtualenv", env_py_version=version)
    assert env.check_availability()
    env.create()
    env.install_py_deps(["beta", "alpha<2"], pip_options=from_wheels, on_line=None)
    assert python_says(env, "import sys, alpha; print('%d.%d' % sys.version_info[:2], alpha.VERSION)") == f"{version} 1.0"


@pytest.mark.slow
def test_small_packages_come_from_the_registry(tmp_path: Path) -> None:
    env = VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv")
    env.create()
    file = tmp_path / "requirements of mine.txt"
    file.write_text("six>=1.16\n")
    env.install_py_deps(["iniconfig >= 2 ; python_version >= '3.8'"], on_line=None)
    env.install_py_deps(file, on_line=None)
    assert python_says(env, "import six, iniconfig; print('both')") == "both"


@pytest.mark.parametrize("manager", ["venv", "virtualenv"])
def test_a_python_that_is_nowhere_is_a_clear_error_where_the_tool_cannot_bring_one(
    manager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ComponentError, match=r"needs a Python 3\.6, and there is none on the PATH") as caught:
        VirtualEnv(env_name=str(tmp_path / "e"), env_manager=manager, env_py_version="3.6").create()
    assert "uv" in str(caught.value.problems[0].fix)
    assert not (tmp_path / "e").exists()


def test_a_python_of_another_version_is_found_on_the_path_and_one_that_only_claims_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, script in (("a", "exit 127"), ("b", "echo 3.6.15")):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "python3.6"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    assert found_interpreter("3.6") == tmp_path / "b" / "python3.6"
    assert found_interpreter("3.6.1") is None
    assert found_interpreter(f"{sys.version_info.major}.{sys.version_info.minor}") == own_interpreter()


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_a_manager_that_is_missing_is_not_available_and_that_is_no_error(
    manager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    env = VirtualEnv(env_name=str(tmp_path / "e"), env_manager=manager)
    assert env.check_availability() is False
    with pytest.raises(ComponentError, match=f"{manager} is not installed"):
        env.create()


def test_an_environment_with_another_python_is_not_taken_for_the_one_asked_for(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv").create()
    VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv", env_py_version=version).create()
    with pytest.raises(ComponentError, match=rf"has Python {version}\.\d+, not 3\.6"):
        VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv", env_py_version="3.6").create()


def test_a_project_we_happen_to_be_in_has_no_say(
    tmp_path: Path, from_wheels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = "<3"\n[tool.uv]\nconstraint-dependencies = ["alpha<2"]\n'
    )
    monkeypatch.chdir(tmp_path)
    env = VirtualEnv(env_name="e", env_manager="uv")
    env.create()
    env.install_py_deps(["alpha"], pip_options=from_wheels, on_line=None)
    assert python_says(env, "import alpha; print(alpha.VERSION)") == "2.0"


def test_a_manager_that_only_fails_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "virtualenv"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert VirtualEnv(env_name="x", env_manager="virtualenv").check_availability() is False


def test_what_a_manager_that_fails_has_begun_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "programs" / "virtualenv"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nfor last; do :; done; mkdir -p "$last/bin"; echo no space left; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    (tmp_path / "deep").mkdir()
    with pytest.raises(ProcessFailed, match="no space left"):
        VirtualEnv(env_name=str(tmp_path / "deep" / "e"), env_manager="virtualenv").create()
    assert list((tmp_path / "deep").iterdir()) == []


def test_what_is_no_environment_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(ComponentError, match="is no virtual environment"):
        VirtualEnv(env_name=str(tmp_path / "mine"), env_manager="uv").create()
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


KILLED = """
import os, signal, sys
from djsandbox.envs import VirtualEnv, virtual
def run(command, on_line):
    os.makedirs(command.argv[-1] + "/bin")
    open(command.argv[-1] + "/pyvenv.cfg", "w").close()
    os.symlink(sys.executable, command.argv[-1] + "/bin/python")
    os.kill(os.getpid(), signal.SIGKILL)
virtual.run = run
VirtualEnv(env_name=sys.argv[1], env_manager="uv").create()
"""


def test_an_environment_whose_making_was_killed_does_not_exist_and_is_made_again(tmp_path: Path) -> None:
    place = tmp_path / "e"
    assert subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False).returncode == -9
    env = VirtualEnv(env_name=str(place), env_manager="uv")
    assert (place / "pyvenv.cfg").exists()
    assert not env.exists()
    env.create()
    assert env.exists()
    assert python_says(env, "import sys; print(sys.prefix)") == str(place)


def test_three_that_make_one_environment_at_once_all_get_it(tmp_path: Path) -> None:
    def make(_: int) -> bool:
        env = VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv")
        env.create()
        return env.exists()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(make, range(3))) == [True] * 3


def test_an_environment_that_was_not_made_runs_nothing(tmp_path: Path) -> None:
    env = VirtualEnv(env_name=str(tmp_path / "e"), env_manager="uv")
    for attempt in (lambda: env.run_cmd("true"), lambda: env.install_py_deps(["alpha"])):
        with pytest.raises(ComponentError, match="does not exist"):
            attempt()


def test_an_environment_needs_a_name_and_a_manager_of_its_kind() -> None:
    with pytest.raises(ConfigError, match="needs an env_name"):
        VirtualEnv(env_manager="uv").create()
    with pytest.raises(ConfigError, match="VirtualEnv does not know the manager 'conda'"):
        VirtualEnv(env_name="x", env_manager="conda")


@pytest.mark.slow
def test_the_example_of_the_guide_runs_as_written(
    tmp_path: Path, wheels: Path, repo: object, monkeypatch: pytest.MonkeyPatch, stand_in: Callable[[str], object]
) -> None:
    stand_in("conda")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import alpha, tiny, sys; open('trained', 'w').write(sys.prefix)")
    (tmp_path / "requirements.txt").write_text("beta")

    env_manager = "conda"
    env_name = "new_conda_env"
    env = ENV_ROUTER[env_manager](env_name=env_name, env_manager=env_manager)
    if not env.check_availability():
        pytest.fail("conda is not there")
    env.create()
    env.install_py_deps(str(tmp_path / "requirements.txt"))
    env.install_py_deps(["alpha", "beta"])
    env.install_py_deps(str(repo.folder))  # type: ignore[attr-defined]
    cmd = "python train.py"
    env.run_cmd(cmd)

    assert (tmp_path / "trained").read_text() == str(env.path)
