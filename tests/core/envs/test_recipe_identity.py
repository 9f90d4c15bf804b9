from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs import EnvRecipe, InstallStep, Repository, SystemTool, problems, recipe_hash
from djsandbox.envs.resolving import default_manager, resolve
from djsandbox.errors import ConfigError

COMMIT = "0123456789" * 4
BASE = EnvRecipe("base", requirements=("torch==2.3.1",))


@pytest.mark.parametrize(
    "change",
    [
        {"python": "3.9"},
        {"requirements": ("torch==2.3.2",)},
        {"constraints": ("numpy<2",)},
        {"leave_out": ("bitsandbytes",)},
        {"pip_options": ("--pre",)},
        {"repositories": (Repository("r", "https://e.org/r", COMMIT),)},
        {"later": (InstallStep(("flash-attn",)),)},
        {"variables": {"MAX_JOBS": "4"}},
        {"check": ("python", "-c", "import torch")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_a_recipe_is_part_of_its_identity(change: dict[str, Any]) -> None:
    assert recipe_hash(replace(BASE, **change), manager="uv") != recipe_hash(BASE, manager="uv")


def test_the_manager_is_part_of_the_identity_and_what_it_is_called_is_not() -> None:
    assert recipe_hash(BASE, manager="uv") != recipe_hash(BASE, manager="venv")
    assert recipe_hash(BASE, manager="uv", name="other") == recipe_hash(BASE, manager="uv")
    assert recipe_hash(replace(BASE, system_tools=(SystemTool("java", "x"),)), manager="uv") == recipe_hash(BASE, manager="uv")


def test_the_same_recipe_has_the_same_identity_in_another_process() -> None:
    code = """
from djsandbox.envs import EnvRecipe, recipe_hash
print(recipe_hash(EnvRecipe("base", requirements=("torch==2.3.1",)), manager="uv"))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == recipe_hash(BASE, manager="uv")


def test_a_recipe_can_be_copied_and_handed_to_another_process() -> None:
    whole = replace(
        BASE,
        repositories=(Repository("r", "https://e.org/r", COMMIT),),
        later=(InstallStep(("flash-attn",)),),
        system_tools=(SystemTool("java", "x"),),
        variables={"MAX_JOBS": "4"},
    )
    for copied in (pickle.loads(pickle.dumps(whole)), copy.copy(whole), copy.deepcopy(whole)):
        assert copied == whole and hash(copied) == hash(whole)
        assert recipe_hash(copied, manager="uv") == recipe_hash(whole, manager="uv")
        with pytest.raises(TypeError):
            copied.variables["MAX_JOBS"] = "8"


def test_the_contents_of_files_count_with_what_they_include(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("six\n-r more.txt\n")
    (tmp_path / "more.txt").write_text("alpha==1\n")
    (tmp_path / "env.yml").write_text("name: x\n")
    (tmp_path / "p.patch").write_text("1")
    recipes = {
        "more.txt": (EnvRecipe("r", requirement_files=(str(tmp_path / "r.txt"),)), "uv"),
        "env.yml": (EnvRecipe("r", env_config_path=str(tmp_path / "env.yml")), "conda"),
        "p.patch": (EnvRecipe("r", repositories=(Repository("x", "u", COMMIT, (str(tmp_path / "p.patch"),)),)), "uv"),
    }
    for name, (recipe, manager) in recipes.items():
        before = recipe_hash(recipe, manager=manager)
        (tmp_path / name).write_text("alpha==2\n" if name == "more.txt" else "name: y")
        assert recipe_hash(recipe, manager=manager) != before, name


def test_comments_in_a_requirements_file_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    file.write_text("six\n")
    recipe = EnvRecipe("r", requirement_files=(str(file),))
    before = recipe_hash(recipe, manager="uv")
    file.write_text("# why\nsix  # because\n\n")
    assert recipe_hash(recipe, manager="uv") == before


def test_what_a_requirement_names_by_a_path_counts_with_its_content_and_what_building_leaves_there_does_not(
    tmp_path: Path,
) -> None:
    wheel, project, listed = tmp_path / "a-1-py3-none-any.whl", tmp_path / "my project", tmp_path / "r.txt"
    wheel.write_text("1")
    (project / "src").mkdir(parents=True)
    (project / "setup.py").write_text("1")
    (project / "src" / "code.py").write_text("1")
    listed.write_text("./my project\n")
    lines = {wheel: str(wheel), project / "src" / "code.py": f"a @ {project.as_uri()}", project / "setup.py": str(project)}
    for path, line in lines.items():
        recipe = EnvRecipe("r", requirements=(line,))
        before = recipe_hash(recipe, manager="uv")
        path.write_text(f"{path.read_text()}, another")
        assert recipe_hash(recipe, manager="uv") != before, line
    recipe = EnvRecipe("r", requirement_files=(str(listed),))
    before = recipe_hash(recipe, manager="uv")
    for left in ("build/lib/code.py", "a.egg-info/PKG-INFO", "src/__pycache__/code.pyc", ".git/index"):
        (project / left).parent.mkdir(parents=True, exist_ok=True)
        (project / left).write_text("left")
    assert recipe_hash(recipe, manager="uv") == before
    (project / "src" / "code.py").write_text("changed")
    assert recipe_hash(recipe, manager="uv") != before
    listed.write_text("-e ./my project\n")
    before = recipe_hash(recipe, manager="uv")
    (project / "src" / "code.py").write_text("is used as it lies")
    assert recipe_hash(recipe, manager="uv") == before
    (project / "setup.py").write_text("declares more")
    assert recipe_hash(recipe, manager="uv") != before


def test_of_the_users_own_checkout_its_place_and_what_it_declares_count_and_its_code_does_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "model.py").write_text("1")
    recipe = EnvRecipe("r", repositories=(Repository("x", install="editable"),))
    asked: dict[str, Any] = {"manager": "uv", "params": {"homes": {"x": str(tmp_path)}}}
    before = recipe_hash(recipe, **asked)
    (tmp_path / "model.py").write_text("2")
    assert recipe_hash(recipe, **asked) == before
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['six']\n")
    assert recipe_hash(recipe, **asked) != before


def test_a_password_is_neither_part_of_the_identity_nor_kept() -> None:
    one, other = (
        replace(BASE, pip_options=("--extra-index-url", f"https://me:{word}@e.org/simple"))
        for word in ("first-one", "second-one")
    )
    assert recipe_hash(one, manager="uv") == recipe_hash(other, manager="uv")
    assert "first-one" not in str(resolve(one, manager="uv").identity)


def test_env_params_change_a_recipe_package_by_package() -> None:
    recipe = EnvRecipe("r", requirements=("torch==2.3", "Flash_Attn==2"), variables={"A": "1", "B": "1"}, leave_out=("x",))
    params = {
        "python": "3.10", "requirements": ["flash-attn==3", "extra"], "variables": {"B": "2"}, "leave_out": ["y"],
        "pip_options": ["--pre"],
    }  # fmt: skip
    changed = resolve(recipe, manager="uv", params=params).recipe
    assert changed.requirements == ("torch==2.3", "flash-attn==3", "extra")
    assert (changed.python, dict(changed.variables)) == ("3.10", {"A": "1", "B": "2"})
    assert (changed.leave_out, changed.pip_options) == (("x", "y"), ("--pre",))
    assert resolve(recipe, manager="uv", params={"env_py_version": "3.10"}).recipe.python == "3.10"


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"pyhton": "3.10"}, "did you mean 'python'?"),
        ({"requirements": "six"}, "requirements is a list of texts"),
        ({"requirements": ["six --pre"]}, "pip_options"),
        ({"python": 3.1}, 'python: "3.10"'),
        ({"python": "three"}, "must be a version such as 3.10"),
        ({"variables": {"A": 1}}, "variables is a mapping of texts"),
        ({"homes": {"internvl": "/x"}}, "no repository 'internvl'"),
        ({"path": "/x"}, "does not know 'path'"),
        ({"env_config_path": "/nowhere.yml"}, "which uv cannot read"),
        ({"requirement_files": ["/nowhere.txt"]}, "nowhere.txt cannot be read"),
    ],
)
def test_wrong_env_params_are_told_with_what_to_write(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipe_hash(BASE, manager="uv", params=params)
    assert says in str(caught.value)
    assert says in "\n".join(map(str, problems(BASE, manager="uv", params=params)))


def test_everything_wrong_is_told_together() -> None:
    found = problems(BASE, manager="uv", params={"pyhton": "3", "dist": 1, "requirements": ["a b", "c d"]})
    assert len(found) == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: EnvRecipe("it's"),
        lambda: EnvRecipe("r", python="3"),
        lambda: EnvRecipe("r", requirements="torch"),
        lambda: EnvRecipe("r", requirements=(1,)),
        lambda: EnvRecipe("r", variables={"A": 1}),
        lambda: EnvRecipe("r", repositories=(Repository("x"), Repository("x"))),
        lambda: Repository("x", "https://e.org/x", "main"),
        lambda: Repository("../x"),
        lambda: Repository("x", install="yes"),
    ],
)
def test_a_recipe_that_makes_no_sense_cannot_be_written(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        make()


def test_a_recipe_is_plain_data_that_can_be_compared_and_hashed() -> None:
    one = EnvRecipe("r", requirements=["a"], variables={"A": "1"})  # type: ignore[arg-type]
    assert one == EnvRecipe("r", requirements=("a",), variables={"A": "1"})
    assert len({one, EnvRecipe("r", requirements=("a",), variables={"A": "1"})}) == 1
    assert len({EnvRecipe("r", variables=dict(pairs)) for pairs in ((("A", "1"), ("B", "2")), (("B", "2"), ("A", "1")))}) == 1
    with pytest.raises(AttributeError):
        one.name = "x"  # type: ignore[misc]


def test_the_first_manager_of_a_recipe_that_is_there_makes_it(
    stand_in: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_manager(EnvRecipe("r")) == "uv"
    recipe = EnvRecipe("r", managers=("micromamba", "conda", "venv"))
    assert default_manager(recipe) == "venv"
    stand_in("conda")
    assert default_manager(recipe) == "conda"
    assert default_manager(EnvRecipe("r", env_config_path="x.yml")) == "conda"
    found = problems(recipe, manager="uv")
    assert "cannot be made by uv" in found[0].message and "micromamba or conda" in str(found[0].fix)


def test_a_python_that_is_not_there_and_a_bad_environment_file_are_found_before_anything_is_made(
    stand_in: Callable[[str], Any], tmp_path: Path, store: Path
) -> None:
    (found,) = problems(EnvRecipe("r", python="3.6"), manager="venv")
    assert "venv needs a Python 3.6, and there is none on the PATH" in found.message and "uv" in str(found.fix)
    stand_in("conda")
    (tmp_path / "e.yml").write_text("- no mapping\n")
    (found,) = problems(EnvRecipe("r", env_config_path=str(tmp_path / "e.yml")), manager="conda")
    assert "is no mapping" in found.message
    assert not store.exists()
