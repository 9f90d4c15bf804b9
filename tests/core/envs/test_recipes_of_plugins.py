from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from djsandbox.envs import EnvRecipe, find_recipe
from djsandbox.envs.inventory import known_recipes
from djsandbox.errors import PluginError

SOURCE = "from djsandbox import EnvRecipe\nONE = EnvRecipe('one', requirements=({!r},))\nBROKEN = 1 / {}\n"


def test_a_recipe_is_found_by_the_name_of_its_entry_point(install: Callable[..., None]) -> None:
    install("mine", SOURCE.format("alpha", 1), "env_recipes", {"captions": "mine:ONE"})
    assert find_recipe("captions") == EnvRecipe("one", requirements=("alpha",))
    with pytest.raises(PluginError, match="unknown environment recipe 'caption'") as caught:
        find_recipe("caption")
    assert "did you mean 'captions'?" in str(caught.value)


def test_of_two_plugins_with_one_name_the_distribution_decides(install: Callable[..., None]) -> None:
    install("mine", SOURCE.format("alpha", 1), "env_recipes", {"captions": "mine:ONE"})
    install("other_one", SOURCE.format("beta", 1), "env_recipes", {"captions": "other_one:ONE"})
    with pytest.raises(PluginError, match=r"is claimed by mine 1.0 .* and other_one 1.0"):
        find_recipe("captions")
    assert find_recipe("other-one:captions").requirements == ("beta",)


def test_a_broken_plugin_hurts_only_its_own_recipes(install: Callable[..., None]) -> None:
    install("good", SOURCE.format("alpha", 1), "env_recipes", {"good": "good:ONE"})
    install("bad", SOURCE.format("alpha", 0), "env_recipes", {"bad": "bad:ONE"})
    found = {known.claim.name: known for known in known_recipes()}
    assert found["good"].recipe is not None and found["good"].key is not None
    assert found["bad"].recipe is None and "ZeroDivisionError" in found["bad"].problems[0].message


def test_a_module_of_recipes_imports_nothing_heavy() -> None:
    heavy = ["pydantic", "yaml", "stevedore", "pluggy", "rich", "numpy", "torch"]
    code = f"import sys; from djsandbox import EnvRecipe; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
