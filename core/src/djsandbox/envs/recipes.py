"""The recipes that plugins bring, by the names of their entry points in `djsandbox.env_recipes`."""

from __future__ import annotations

from collections.abc import Iterator

from djsandbox.envs.recipe import EnvRecipe
from djsandbox.errors import PluginError
from djsandbox.plugins.index import Claim, normalised, plugin_index

GROUP = "env_recipes"


def find_recipe(name: str) -> EnvRecipe:
    """The recipe that a plugin registered as `name` (or `distribution:name`). PluginError, with the nearest name, for none."""
    left, _, right = name.rpartition(":")
    index = plugin_index()
    if left:
        for claim in index.claimants(GROUP, right):
            if normalised(claim.distribution) == normalised(left):
                return load_recipe(claim)
    return load_recipe(index.find(GROUP, name))


def recipe_claims() -> Iterator[Claim]:
    """All claims on names of recipes; nothing is imported."""
    yield from plugin_index().claims(GROUP)


def load_recipe(claim: Claim) -> EnvRecipe:
    """The recipe that `claim` names; PluginError where it is none."""
    from djsandbox.plugins.driver import load  # noqa: PLC0415 - imports stevedore

    return recipe_of(claim, load(claim))


def recipe_of(claim: Claim, found: object) -> EnvRecipe:
    """What `claim` names (`found`) as a recipe; PluginError where it is something else."""
    if not isinstance(found, EnvRecipe):
        raise PluginError(f"{claim} is no EnvRecipe but {type(found).__name__}", fix='RECIPE = EnvRecipe("name", ...)')
    return found
