from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs import CondaEnv, EnvRecipe, problems
from djsandbox.errors import ComponentError, ConfigError
from djsandbox.process.failures import ProcessFailed

FAMILY = ["conda", "mamba", "micromamba"]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
NAME = "it's `a` $HOME;echo 环境"


@pytest.mark.parametrize("manager", FAMILY)
def test_an_environment_is_made_with_exactly_this_command_and_only_once(manager: str, stand_in: Callable[[str], Any]) -> None:
    conda = stand_in(manager)
    env = CondaEnv(NAME, manager, env_py_version="3.10")
    assert env.check_availability()
    assert not env.exists()
    env.create()
    env.create()
    assert env.exists()
    assert conda.calls() == [["create", "-y", "-n", NAME, "python=3.10"]]
    assert env.path == conda.root / "envs" / NAME


@pytest.mark.parametrize("manager", FAMILY)
def test_commands_run_by_its_own_interpreter_and_not_through_conda_run(manager: str, stand_in: Callable[[str], Any]) -> None:
    conda = stand_in(manager)
    env = CondaEnv(NAME, manager)
    env.create()
    done = env.run_cmd(
        'python -c "import sys; print(sys.prefix)"; echo "$CONDA_PREFIX"; echo "$CONDA_DEFAULT_ENV"', on_line=None
    )
    assert done.last_lines == (str(env.path), str(env.path), NAME)
    assert env.run_cmd(["python", "-c", "import sys; sys.exit(5)"], check=False, on_line=None).returncode == 5
    assert [call[0] for call in conda.calls()] == ["create"]


def test_packages_are_installed_by_its_own_pip(stand_in: Callable[[str], Any], from_wheels: tuple[str, ...]) -> None:
    conda = stand_in("conda")
    env = CondaEnv("e")
    env.create()
    env.install_py_deps(["beta", "alpha<2"], pip_options=from_wheels, on_line=None)
    done = env.run_cmd(["python", "-c", "import alpha; print(alpha.VERSION, alpha.__file__)"], on_line=None)
    assert done.last_lines[0].startswith(f"1.0 {env.path}/")
    assert [call[0] for call in conda.calls()] == ["create"]


@pytest.mark.parametrize(
    ("manager", "command"), [("conda", ["env", "create"]), ("mamba", ["env", "create"]), ("micromamba", ["create", "-y"])]
)
def test_an_environment_file_says_the_name_and_all_else(
    manager: str, command: list[str], stand_in: Callable[[str], Any], tmp_path: Path
) -> None:
    conda = stand_in(manager)
    file = tmp_path / "my environment's.yml"
    file.write_text(f"name: from-file\ndependencies:\n  - python={VERSION}\n")
    env = CondaEnv(env_manager=manager, env_config_path=str(file))
    env.create()
    assert conda.calls() == [[*command, "-n", "from-file", "-f", str(file)]]
    other = CondaEnv("mine", manager, env_config_path=file)
    other.create()
    assert conda.calls()[1:] == [[*command, "-n", "mine", "-f", str(file)]]
    assert other.path == conda.root / "envs" / "mine"


def test_a_prefix_is_used_where_one_is_given(stand_in: Callable[[str], Any], tmp_path: Path) -> None:
    conda = stand_in("conda")
    place = tmp_path / "somewhere else"
    env = CondaEnv("e", env_path=place)
    assert not env.exists()
    env.create()
    assert env.exists()
    assert conda.calls() == [["create", "-y", "-p", str(place), f"python={VERSION}"]]
    assert env.variables()["CONDA_PREFIX"] == str(place)


def test_a_prefix_that_happens_to_end_in_the_name_is_not_the_environment_of_that_name(
    stand_in: Callable[[str], Any], tmp_path: Path
) -> None:
    stand_in("conda")
    CondaEnv("other", env_path=tmp_path / "e").create()
    env = CondaEnv("e")
    assert not env.exists()
    env.create()
    assert env.path.parent.name == "envs"


def test_a_python_beside_an_environment_file_is_refused_and_not_ignored(stand_in: Callable[[str], Any], tmp_path: Path) -> None:
    conda = stand_in("conda")
    file = tmp_path / "e.yml"
    file.write_text("name: x\n")
    with pytest.raises(ConfigError, match=r"both env_config_path and env_py_version \(3\.9\)"):
        CondaEnv(env_config_path=file, env_py_version="3.9").create()
    assert conda.calls() == []


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "channels: []\n"])
def test_an_environment_file_that_is_none_is_told(text: str, stand_in: Callable[[str], Any], tmp_path: Path) -> None:
    stand_in("conda")
    file = tmp_path / "e.yml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"e\.yml|needs an env_name"):
        CondaEnv(env_config_path=file).create()
    with pytest.raises(ConfigError, match="cannot be read"):
        CondaEnv(env_config_path=tmp_path / "none.yml").create()


def test_what_conda_says_when_it_fails_is_in_the_error(stand_in: Callable[[str], Any], tmp_path: Path) -> None:
    conda = stand_in("conda")
    (conda.root / "envs" / "e" / "conda-meta").mkdir(parents=True)
    env = CondaEnv("e", env_path=conda.root / "envs" / "e")
    with pytest.raises(ProcessFailed, match="prefix already exists"):
        env.create()


def test_without_conda_nothing_is_available_and_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CONDA_EXE", raising=False)
    env = CondaEnv("e")
    assert env.check_availability() is False
    assert env.exists() is False
    with pytest.raises(ComponentError, match="conda is not installed") as caught:
        env.create()
    assert "conda-forge.org" in str(caught.value)


def test_conda_is_found_where_only_its_shell_function_is_on_the_path(
    stand_in: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("conda")
    monkeypatch.setenv("CONDA_EXE", str(tmp_path / "programs" / "conda"))
    monkeypatch.setenv("PATH", os.defpath)
    assert CondaEnv("e").check_availability()


def test_what_activating_would_set_is_set_also_what_packages_and_the_user_set(stand_in: Callable[[str], Any]) -> None:
    stand_in("conda")
    env = CondaEnv("e")
    env.create()
    scripts = env.path / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "~compilers.sh").write_text('echo "activating it"; export CC="$CONDA_PREFIX/bin/it\'s gcc"; local_one=1\n')
    (scripts / "cuda.sh").write_text('export CUDA_HOME="$CONDA_PREFIX/cuda"; export PATH="$CUDA_HOME/bin:$PATH"\n')
    (env.path / "conda-meta" / "state").write_text('{"env_vars": {"MY_FLAG": "on", "GONE": "***unset***"}}')
    found = env.variables()
    assert found["CC"] == f"{env.path}/bin/it's gcc"
    assert found["PATH"].startswith(f"{env.path}/cuda/bin:{env.path}/bin:")
    assert found["MY_FLAG"] == "on" and not {"GONE", "local_one", "PWD", "SHLVL"} & found.keys()
    done = env.run_cmd(["python", "-c", "import os; print(os.environ['CC'], os.environ['CUDA_HOME'])"], on_line=None)
    assert done.last_lines == (f"{env.path}/bin/it's gcc {env.path}/cuda",)


def test_an_activation_script_that_fails_is_a_warning(stand_in: Callable[[str], Any], caplog: pytest.LogCaptureFixture) -> None:
    stand_in("conda")
    env = CondaEnv("e")
    env.create()
    (env.path / "etc" / "conda" / "activate.d").mkdir(parents=True)
    (env.path / "etc" / "conda" / "activate.d" / "bad.sh").write_text("echo because; exit 3\n")
    assert env.variables()["CONDA_PREFIX"] == str(env.path)
    assert "activation scripts" in caplog.text and "because" in caplog.text


def test_an_environment_with_another_python_is_not_taken_for_the_one_asked_for(stand_in: Callable[[str], Any]) -> None:
    stand_in("conda")
    env = CondaEnv("e", env_py_version="3.10")
    env.create()
    (env.path / "conda-meta" / "python-3.10.14-h955ad1f_0.json").touch()
    env.create()
    with pytest.raises(ComponentError, match=r"has Python 3\.10\.14, not 3\.9"):
        CondaEnv("e", env_py_version="3.9").create()


@pytest.mark.slow
@pytest.mark.parametrize("manager", FAMILY)
def test_the_real_one_behaves_as_the_stand_in(manager: str) -> None:
    if shutil.which(manager) is None:
        pytest.skip(f"{manager} is not installed here")
    env = CondaEnv(f"djsandbox-test-{os.getpid()}", manager, env_py_version=VERSION)
    assert env.check_availability()
    assert not env.exists()
    try:
        env.create()
        assert env.exists()
        assert env.run_cmd(["python", "-c", "import sys; print(sys.prefix)"], on_line=None).last_lines == (str(env.path),)
    finally:
        if env.exists():
            shutil.rmtree(env.path)


@pytest.mark.parametrize("manager", FAMILY)
@pytest.mark.parametrize("name", ["base", "root"])
def test_the_environment_that_conda_itself_lives_in_is_neither_made_nor_changed(
    manager: str, name: str, stand_in: Callable[[str], Any], tmp_path: Path
) -> None:
    conda = stand_in(manager)
    file = tmp_path / "environment.yml"
    file.write_text(f"name: {name}\ndependencies: [python]\n")
    for env in (CondaEnv(name, manager), CondaEnv(None, manager, env_config_path=file)):
        assert not env.exists()
        for change in (
            env.create,
            lambda env=env: env.install_py_deps(["six"]),
            lambda env=env: env.run_cmd("rm -r *"),
            lambda env=env: env.path,
        ):
            with pytest.raises(ConfigError, match=f"'{name}' is the environment that {manager} itself lives in") as caught:
                change()
            assert "env_manager: existing" in str(caught.value)
    (problem,) = problems(EnvRecipe("r"), manager=manager, name=name)
    assert "itself lives in" in problem.message and conda.calls() == []
