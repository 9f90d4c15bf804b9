"""A recipe that is wrong is refused with the field where it is written, and stops nobody else's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox.cli.main import call
from djsandbox.envs import EnvRecipe, InstallStep, Repository, SystemTool
from djsandbox.envs.inventory import known_recipe, known_recipes
from djsandbox.plugins.index import plugin_index

PLUGIN = """
from djsandbox.envs import EnvRecipe

GOOD = EnvRecipe("good", requirements=("alpha",))
ODD = object.__new__(EnvRecipe)
"""
MODULES = ("odd_recipes", "unasked_recipes")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin with a recipe that is right and one that no constructor has seen."""
    info = tmp_path / "site" / "odd_recipes-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-recipes\nVersion: 1.0\n")
    lines = "good = odd_recipes:GOOD\nodd = odd_recipes:ODD\nunasked = unasked_recipes:GOOD\n"
    (info / "entry_points.txt").write_text(f"[djsandbox.env_recipes]\n{lines}")
    for module in MODULES:
        (tmp_path / "site" / f"{module}.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugin_index.cache_clear()
    yield
    plugin_index.cache_clear()
    for module in MODULES:
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda of: of("x", system_tools=("java",)), "EnvRecipe 'x': system_tools[0] is to be SystemTool(...), not 'java'"),
        (
            lambda of: of("x", later=(("flash-attn",),)),
            "EnvRecipe 'x': later[0] is to be InstallStep(...), not ('flash-attn',)",
        ),
        (
            lambda of: of("x", repositories=("https://e.org/x",)),
            "repositories[0] is to be Repository(...), not 'https://e.org/x'",
        ),
        (lambda of: of("x", python=3.1), "EnvRecipe 'x': python is a text, not 3.1"),
        (lambda of: of("x", requirements=("a", 1)), "requirements[1] is a text, not 1"),
        (lambda of: of("x", requirements=3), "requirements is a sequence, not 3"),
        (lambda of: of("x", check=("python\0",)), "check[0] has a NUL in it"),
        (lambda of: of("x", env_config_path=["e.yml"]), "env_config_path is a text, not ['e.yml']"),
        (lambda of: of("x", variables=["A=1"]), "variables is a mapping of texts to texts, not ['A=1']"),
        (lambda of: of("x", variables={"A": 1}), "variables, 'A': names and values are texts"),
        (lambda of: of("x", variables={"A=B": "1"}), "variables, 'A=B': a name is not empty and has neither '='"),
        (lambda of: of("x", variables={"": "1"}), "variables, '': a name is not empty"),
        (lambda of: of("x", variables={"A": "1\0"}), "variables, 'A': a value has no NUL in it"),
        (lambda of: InstallStep(({},)), "InstallStep: requirements[0] is a text, not {}"),  # type: ignore[arg-type]
        (lambda of: SystemTool("java", None), "SystemTool 'java': needed_for is a text, not None"),  # type: ignore[arg-type]
        (lambda of: SystemTool("nvcc", "x", below=13), "SystemTool 'nvcc': below is a text, not 13"),  # type: ignore[arg-type]
        (lambda of: SystemTool("nvcc", "x", below="<13"), "SystemTool 'nvcc': below must be a version such as 12.1, not '<13'"),
        (lambda of: SystemTool("nvcc", "x", at_least="new"), "SystemTool 'nvcc': at_least must be a version"),
        (lambda of: SystemTool("nvcc", "x", "13.0", below="13"), "SystemTool 'nvcc': no version is at least 13.0 and below 13"),
        (lambda of: Repository("x", home=3), "Repository 'x': home is a text, not 3"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_with_its_field(make: Callable[[Any], object], says: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make(EnvRecipe)
    assert says in str(caught.value)


def test_paths_and_lists_are_taken_for_texts_and_tuples(tmp_path: Path) -> None:
    tools = [SystemTool("java", "x")]
    recipe = EnvRecipe("x", requirement_files=[tmp_path / "r.txt"], system_tools=tools)  # type: ignore[arg-type, list-item]
    assert (recipe.requirement_files, recipe.system_tools) == ((str(tmp_path / "r.txt"),), tuple(tools))


def test_a_recipe_that_cannot_be_read_is_a_problem_of_its_own_and_hides_no_other(
    plugin: None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {known.claim.name: known for known in known_recipes(examined=True)}
    assert found["good"].key is not None and found["odd"].recipe is None
    assert "odd-recipes" in found["odd"].problems[0].message and "AttributeError" in found["odd"].problems[0].message
    assert call(["envs", "list"]) == 0
    assert call(["envs", "show", "odd"]) == 0
    assert "cannot be read: AttributeError" in capsys.readouterr().err


def test_to_show_one_recipe_no_other_is_loaded(plugin: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["envs", "show", "good"]) == 0
    assert "install alpha" in capsys.readouterr().out
    assert known_recipe("nobody") is None
    assert "odd_recipes" in sys.modules and "unasked_recipes" not in sys.modules
