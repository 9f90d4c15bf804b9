from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs import (
    ENV_ROUTER,
    CondaEnv,
    Env,
    EnvRecipe,
    ExistingEnv,
    Repository,
    SystemTool,
    VirtualEnv,
    environment_for,
    problems,
    recipe_hash,
)
from djsandbox.errors import ComponentError, ConfigError, PluginError


@pytest.fixture
def there(tmp_path: Path) -> VirtualEnv:
    env = VirtualEnv(env_name=str(tmp_path / "there"), env_manager="uv")
    env.create()
    return env


def test_a_folder_or_an_interpreter_is_used_as_it_is(there: VirtualEnv) -> None:
    for given in (there.path, there.python):
        env = ExistingEnv(env_path=given)
        env.create()
        assert env.python == there.python
        assert env.variables() == there.variables()
        assert env.run_cmd("python -c 'import sys; print(sys.prefix)'", on_line=None).last_lines == (str(there.path),)


def test_packages_can_be_installed_into_one_without_pip(there: VirtualEnv, from_wheels: tuple[str, ...]) -> None:
    ExistingEnv(env_path=there.path).install_py_deps(["alpha"], pip_options=from_wheels, on_line=None)
    there.run_cmd(["python", "-c", "import alpha"], on_line=None)


def test_without_a_path_it_is_the_interpreter_we_are_running_in() -> None:
    env = ExistingEnv()
    assert env.exists()
    done = env.run_cmd(["python", "-c", "import djsandbox, sys; print(sys.prefix)"], on_line=None)
    assert done.last_lines == (sys.prefix,)


def test_a_bare_name_may_be_that_of_a_conda_environment(
    stand_in: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("conda")
    made = CondaEnv("mine")
    made.create()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"/nowhere\n{made.path}\n")
    env = ExistingEnv("mine")
    assert env.path == made.path
    assert env.variables()["CONDA_PREFIX"] == str(made.path)


def test_base_is_the_environment_that_conda_itself_lives_in(
    stand_in: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("conda")
    assert not ExistingEnv("base").exists()  # a program, and no environment around it
    root = tmp_path / "miniconda"
    for name in ("conda-meta", "bin", "condabin"):
        (root / name).mkdir(parents=True)
    (root / "bin" / "python").symlink_to(sys.executable)
    (root / "condabin" / "conda").write_text("#!/bin/sh\n")
    (root / "condabin" / "conda").chmod(0o755)
    monkeypatch.setenv("PATH", str(root / "condabin"), prepend=":")
    env = ExistingEnv("base")
    assert env.exists() and env.path == root
    assert env.variables()["CONDA_PREFIX"] == str(root)
    assert environment_for(EnvRecipe("r"), manager="existing", name="base").path == root


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    env = ExistingEnv(env_path=tmp_path / "nothing")
    assert not env.exists()
    with pytest.raises(ComponentError, match="there is no environment at"):
        env.create()
    assert list(tmp_path.iterdir()) == []


def test_a_job_may_use_an_environment_that_is_there_instead_of_its_recipe(there: VirtualEnv, store: Path) -> None:
    recipe = EnvRecipe("needs-much", requirements=("torch",), variables={"A": "1"})
    ready = environment_for(recipe, manager="existing", params={"path": str(there.path)})
    assert ready.python == there.python
    assert ready.run_cmd("echo $A $VIRTUAL_ENV", on_line=None).last_lines == (f"1 {there.path}",)
    assert not (store / "builds").exists()
    assert environment_for(recipe, manager="existing").python == Path(sys.executable)


def test_it_has_to_pass_the_check_of_the_recipe_which_is_run_once_for_each_state_of_it(
    there: VirtualEnv, from_wheels: tuple[str, ...], tmp_path: Path
) -> None:
    count = tmp_path / "checked"
    code = f"open({str(count)!r}, 'a').write('x'); import alpha"
    recipe = EnvRecipe("needs-alpha", requirements=("alpha",), check=("python", "-c", code))
    theirs: dict[str, Any] = {"manager": "existing", "params": {"path": str(there.path)}}
    assert problems(recipe, **theirs) == [] and not count.exists()
    for _ in range(2):
        with pytest.raises(ComponentError, match="fails the check of the recipe 'needs-alpha'") as caught:
            environment_for(recipe, **theirs)
        assert "No module named 'alpha'" in str(caught.value) and "check: false" in str(caught.value)
        assert any("No module named 'alpha'" in line for one in caught.value.evidence for line in one.lines)
    there.install_py_deps(["alpha"], pip_options=from_wheels, on_line=None)
    for _ in range(2):
        assert environment_for(recipe, **theirs).python == there.python
    assert count.read_text() == "xxx"


def test_whoever_knows_better_than_the_recipe_uses_it_without_the_check(there: VirtualEnv) -> None:
    recipe = EnvRecipe("needs-alpha", check=("python", "-c", "import alpha"))
    theirs = {"path": str(there.path)}
    unchecked = environment_for(recipe, manager="existing", params={**theirs, "check": False})
    assert unchecked.python == there.python
    assert unchecked.hash == recipe_hash(recipe, manager="existing", params=theirs)
    with pytest.raises(ComponentError, match="fails the check"):
        environment_for(recipe, manager="existing", params={**theirs, "check": True})
    for value in ("no", None, 0):
        (problem,) = problems(recipe, manager="existing", params={**theirs, "check": value})
        assert "check is true or false" in problem.message
    assert "does not know 'check'" in problems(recipe, manager="uv", params={"check": False})[0].message


def test_its_identity_changes_with_what_is_installed_in_it(there: VirtualEnv, from_wheels: tuple[str, ...]) -> None:
    recipe = EnvRecipe("r")
    before = recipe_hash(recipe, manager="existing", params={"path": str(there.path)})
    assert recipe_hash(recipe, manager="existing", params={"path": str(there.path)}) == before
    there.install_py_deps(["alpha"], pip_options=from_wheels, on_line=None)
    assert recipe_hash(recipe, manager="existing", params={"path": str(there.path)}) != before


def test_its_identity_changes_with_the_checkout_that_is_used_in_it(there: VirtualEnv, tmp_path: Path) -> None:
    recipe = EnvRecipe("one", repositories=(Repository("tool", proof=("tool.py",)),))
    homes = [tmp_path / name for name in ("first", "second")]
    for home in homes:
        home.mkdir()
        (home / "tool.py").touch()
    params = [{"path": str(there.path), "homes": {"tool": str(home)}} for home in homes]
    first, second = (recipe_hash(recipe, manager="existing", params=one) for one in params)
    assert first != second


def test_what_the_machine_lacks_is_a_warning_also_where_something_else_is_wrong_with_it(tmp_path: Path) -> None:
    recipe = EnvRecipe("one", system_tools=(SystemTool("no-such-tool", "fun"),))
    found = problems(recipe, manager="existing", params={"path": str(tmp_path / "nowhere")})
    assert [problem.severity for problem in found] == ["error", "warning"]


def test_parameters_that_mean_nothing_for_it_are_refused(tmp_path: Path) -> None:
    found = problems(EnvRecipe("r"), manager="existing", params={"requirements": ["six"], "path": str(tmp_path)})
    assert "'requirements' means nothing" in found[0].message
    assert "there is no environment" in problems(EnvRecipe("r"), manager="existing", params={"path": str(tmp_path)})[0].message


def test_our_own_interpreter_serves_by_default_where_a_recipe_allows_it_and_its_check_passes(
    from_wheels: tuple[str, ...],
) -> None:
    fits = EnvRecipe("light", managers=("existing", "uv"), check=("python", "-c", "import pydantic"), pip_options=from_wheels)
    assert environment_for(fits).python == Path(sys.executable)
    lacks = EnvRecipe(
        "light", managers=("existing", "uv"), check=("python", "-c", "import alpha"), requirements=("alpha",),
        pip_options=from_wheels,
    )  # fmt: skip
    made = environment_for(lacks)
    assert (made.manager, made.packages) == ("uv", {"alpha": "2.0"})
    anything = EnvRecipe("light", managers=("existing", "uv"), pip_options=from_wheels)
    assert environment_for(anything).manager == "existing"
    assert environment_for(anything, params={"requirements": ["alpha==1.0"]}).packages == {"alpha": "1.0"}


def test_our_own_interpreter_passes_a_check_that_needs_a_tool_of_the_recipe_that_only_a_variable_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'openjdk version \"21\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))  # has no java
    check = ("python", "-c", f"import shutil, sys; sys.exit(shutil.which('java') != {str(java)!r})")
    recipe = EnvRecipe("scoring", managers=("existing", "uv"), system_tools=(SystemTool("java", "SPICE"),), check=check)
    monkeypatch.setenv("JAVA_HOME", str(java.parent.parent))
    assert environment_for(recipe).manager == "existing"


THIRD_PARTY = """
from djsandbox.envs import VirtualEnv

class Pixie(VirtualEnv):
    managers = ("{manager}", "uv")
    parameters = frozenset({{"dust"}})

    def __init__(self, *args, dust=0, **kwargs):
        super().__init__(*args, **kwargs)
        self.dust = dust
        self.shown = self.env_manager
        self.env_manager = "uv"

    def describe(self):
        return {{"dust": self.dust}}
"""


def test_the_router_knows_the_managers_of_the_guide_and_ours() -> None:
    assert set(ENV_ROUTER) == {"conda", "mamba", "micromamba", "venv", "virtualenv", "uv", "existing"}
    assert issubclass(ENV_ROUTER["mamba"], CondaEnv) and issubclass(ENV_ROUTER["uv"], VirtualEnv)
    assert ENV_ROUTER["uv"] is ENV_ROUTER["uv"]
    assert "nobody" not in ENV_ROUTER
    with pytest.raises(KeyError):
        ENV_ROUTER["nobody"]


@pytest.mark.parametrize("manager", ["conda", "mamba", "micromamba", "venv", "virtualenv", "uv", "existing"])
def test_whoever_asks_the_router_for_a_manager_gets_that_one_also_without_naming_it_again(manager: str) -> None:
    kind = ENV_ROUTER[manager]
    assert kind("x").env_manager == kind(env_name="x", env_manager=manager).env_manager == manager
    assert kind.__name__ in ("CondaEnv", "VirtualEnv", "ExistingEnv") and isinstance(kind("x"), Env)


def test_a_third_party_manager_is_imported_when_it_is_used_and_takes_parameters_of_its_own(
    install: Callable[..., None], from_wheels: tuple[str, ...]
) -> None:
    install("pixie", THIRD_PARTY.format(manager="pixie"), "env_managers", {"pixie": "pixie:Pixie"})
    assert "pixie" in ENV_ROUTER and "pixie" not in sys.modules
    found = ENV_ROUTER["pixie"]
    assert issubclass(found, Env)
    recipe = EnvRecipe("r", requirements=("alpha",), pip_options=from_wheels)
    one, other = (recipe_hash(recipe, manager="pixie", params={"dust": dust}) for dust in (1, 2))
    assert one != other
    ready = environment_for(recipe, manager="pixie", params={"dust": 1})
    assert ready.hash == one
    assert ready.packages["alpha"] == "2.0"
    assert "does not know 'dust'" in problems(recipe, manager="uv", params={"dust": 1})[0].message


def test_two_that_claim_one_manager_and_one_that_is_no_environment_are_errors(install: Callable[..., None]) -> None:
    install("rival", "X = 1", "env_managers", {"uv": "rival:X"})
    with pytest.raises(PluginError, match=r"environment manager 'uv' is claimed by djsandbox .* and rival"):
        ENV_ROUTER["uv"]
    install("strange", "X = 1", "env_managers", {"odd": "strange:X"})
    with pytest.raises(PluginError, match="is no subclass of Env"):
        ENV_ROUTER["odd"]


def test_an_unknown_manager_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="unknown env_manager 'micromanba'") as caught:
        environment_for(EnvRecipe("r"), manager="micromanba")
    assert "did you mean 'micromamba'?" in str(caught.value)
