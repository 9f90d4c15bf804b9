"""What there is: recipes of plugins, environments in the store, and managers; and which of them somebody means by a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from djsandbox.envs.base import Env
from djsandbox.envs.differences import told_apart
from djsandbox.envs.environment import problems
from djsandbox.envs.recipe import EnvRecipe, Repository
from djsandbox.envs.recipes import load_recipe, recipe_claims
from djsandbox.envs.resolving import EXISTING, default_manager, resolve
from djsandbox.envs.router import ENV_ROUTER, env_class
from djsandbox.envs.store import Entry, Store, busy_file
from djsandbox.envs.tools import answer
from djsandbox.errors import ConfigError, Problem, SandboxError, did_you_mean
from djsandbox.plugins.index import Claim
from djsandbox.plugins.isolation import DOCTOR, reason
from djsandbox.redact import redact


@dataclass(frozen=True)
class KnownRecipe:
    """A recipe that a plugin registers; `key` is that of the environment it makes here and now, None where it could not.

    It is broken where no machine could make anything of it.
    """

    claim: Claim
    recipe: EnvRecipe | None
    key: str | None
    problems: tuple[Problem, ...]
    is_broken: bool = False


def known_recipes(*, examined: bool = False) -> Iterator[KnownRecipe]:
    """All recipes of installed plugins. With `examined`, whatever stands against making them is looked for, too."""
    for claim in recipe_claims():
        yield _known(claim, examined)


def known_recipe(name: str, *, examined: bool = False) -> KnownRecipe | None:
    """The first recipe of that name, as `known_recipes` has it, without a look at any other."""
    return next((_known(claim, examined) for claim in recipe_claims() if claim.name == name), None)


def _known(claim: Claim, examined: bool) -> KnownRecipe:
    try:
        recipe = load_recipe(claim)
    except SandboxError as error:
        return KnownRecipe(claim, None, None, error.problems, is_broken=True)
    try:
        key = None if default_manager(recipe) == EXISTING else resolve(recipe).key
    except SandboxError as error:
        return KnownRecipe(claim, recipe, None, error.problems, is_broken=True)
    except Exception as error:  # what is wrong with one plugin's recipe must not hide those of the others
        unread = Problem(f"{claim} cannot be read: {reason(error)}", fix=DOCTOR)
        return KnownRecipe(claim, None, None, (unread,), is_broken=True)
    return KnownRecipe(claim, recipe, key, tuple(problems(recipe, running=False)) if examined else ())


def entry_named(name: str, store: Store) -> Entry:
    """The environment that `name` means: its key, or the name or recipe where only one has it, or one is the recipe's own.

    Raises ConfigError where there is none, or where more than one is meant.
    """
    entries = store.entries()
    exact = [entry for entry in entries if entry.key == name]
    called = [entry for entry in entries if name in (entry.facts.get("name"), entry.facts.get("recipe"))]
    if len(called) > 1:
        current = {_known(claim, False).key for claim in recipe_claims() if claim.name == name}
        called = [entry for entry in called if entry.key in current] or called
    found = exact or called
    if len(found) == 1:
        return found[0]
    if found:
        apart = told_apart([entry.facts.get("identity", {}) for entry in found])
        which = [f"{entry.key} ({words})" for entry, words in zip(found, apart, strict=True)]
        raise ConfigError(f"'{name}' may mean {' or '.join(which)}", fix="give one of these in full")
    recipes = [claim.name for claim in recipe_claims()]
    fix = f"djsandbox envs create {name}" if name in recipes else did_you_mean(name, [entry.key for entry in entries])
    raise ConfigError(f"there is no environment '{name}' in {store.folder}", fix=fix)


def env_of(entry: Entry) -> Env:
    """The environment of an entry, to run something in it. ConfigError where it is broken."""
    if entry.problem is not None:
        raise ConfigError(
            f"the environment {entry.key} cannot be used: {entry.problem}", fix="djsandbox envs create makes it again"
        )
    env = env_class(entry.facts["manager"])(entry.facts["name"], entry.facts["manager"], env_path=entry.path)
    env.held = busy_file(entry.folder)
    return env


def examined(entry: Entry) -> str | None:
    """What is wrong with an environment: as `Entry.problem`, and whether its interpreter really starts."""
    if entry.problem is not None:
        return entry.problem
    argv = (str(entry.path / "bin" / "python"), "-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])")
    said = answer(argv)
    if said is None:
        return "its interpreter does not start"
    made_with = entry.facts["python"]
    return None if said == made_with else f"it was made with Python {made_with} and now has {said}"


@dataclass(frozen=True)
class Examination:
    """What a look at everything has found.

    `environments` are keys, each with what is wrong with it (None: nothing). Of `problems` an error is something broken; what
    a recipe needs and this machine lacks is a warning.
    """

    managers: list[dict[str, Any]]
    recipes: list[KnownRecipe]
    environments: list[tuple[str, str | None]]
    problems: list[Problem]


def examination(store: Store) -> Examination:
    """Look at all managers, recipes and environments; runs programs, and writes nothing."""
    there = managers()
    recipes = [_seen_from_here(known) for known in known_recipes(examined=True)]
    states = [(entry.key, examined(entry)) for entry in store.entries()]
    found = [Problem(row["problem"], fix=DOCTOR) for row in there if row["problem"] is not None]
    found += [problem for known in recipes for problem in known.problems]
    mend = "djsandbox envs create makes it again, djsandbox envs gc removes it"
    found += [Problem(f"the environment {key}: {problem}", fix=mend) for key, problem in states if problem is not None]
    return Examination(there, recipes, states, found)


def _seen_from_here(known: KnownRecipe) -> KnownRecipe:
    if known.is_broken:
        return known
    return replace(known, problems=tuple(replace(problem, severity="warning") for problem in known.problems))


def managers() -> list[dict[str, Any]]:
    """Each manager, and whether it can be used here."""
    rows = []
    for name in ENV_ROUTER:
        try:
            available, problem = env_class(name)("any", name).check_availability(), None
        except SandboxError as error:
            available, problem = False, error.problems[0].message
        rows.append({"manager": name, "available": available, "problem": problem})
    return rows


def steps_of(recipe: EnvRecipe) -> Sequence[str]:
    """What making the environment would do, in words."""
    lines = [f"get {one.name}: {_origin(one)}" for one in recipe.repositories]
    for step in recipe.steps():
        what = [*step.requirements, *(f"-r {file}" for file in step.requirement_files)]
        if what:
            lines.append(" ".join(["install", *what, *step.pip_options]))
    lines += [f"install {one.name} ({one.install})" for one in recipe.repositories if one.install != "no"]
    lines += [f"check: {' '.join(recipe.check)}"] if recipe.check else []
    hidden: list[str] = redact(lines)
    return hidden


def _origin(repository: Repository) -> str:
    if repository.home is not None or repository.url is None:
        return repository.home or "a checkout of your own, which 'homes' has to name"
    return f"{repository.url} at commit {(repository.commit or '')[:12]}"
