"""What jobs, and whoever else needs an environment, ask for: is all in order, which one is it, and here it is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from djsandbox.envs.base import Env, show
from djsandbox.envs.building import build
from djsandbox.envs.existing import ExistingEnv
from djsandbox.envs.faults import KeyProblem, attempt, keyed
from djsandbox.envs.lock import shared
from djsandbox.envs.overrides import CHECK, FOR_EXISTING, overridden
from djsandbox.envs.places import refuse_separator
from djsandbox.envs.recipe import EnvRecipe
from djsandbox.envs.resolving import EXISTING, Resolved, default_manager, home_loc, key_loc, resolve
from djsandbox.envs.sources import checkout_problems
from djsandbox.envs.store import Entry, Store, busy_file, mark_used
from djsandbox.envs.system import missing_tools, with_tools
from djsandbox.errors import ComponentError, ConfigError, Problem, SandboxError, did_you_mean
from djsandbox.journal.keys import content_key
from djsandbox.process.command import Completed
from djsandbox.process.running import OnLine
from djsandbox.redact import redact

OFFLINE_VARIABLE = "DJSANDBOX_OFFLINE"
_proven: set[tuple[str, tuple[str, ...]]] = set()  # states of existing environments, and the checks they have passed


@dataclass(frozen=True)
class ReadyEnv:
    """An environment that can be used.

    `hash` is its identity; `sources` has the folders of its repositories by name, `packages` the versions of all that is
    installed in it (empty for an existing one, which nobody has looked into).
    """

    name: str
    recipe: EnvRecipe
    manager: str
    hash: str
    env: Env
    sources: Mapping[str, Path] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    held: Path | None = None
    """The file to hold (`Command.held`) while something runs in it, so that it is not removed; None for an existing one."""
    key: str | None = None
    """Its name in the store; None for an existing one."""
    is_new: bool = False
    """Whether who was asked for it made it just now."""

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """While open, nobody removes it. SandboxError where somebody just has."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(FileNotFoundError):  # its folder is gone, and so is the environment
                if self.held is not None:
                    stack.enter_context(shared(self.held))
            if not self.env.exists():
                raise SandboxError(f"the environment {self.name} was removed at this moment", fix="run it again, with --resume")
            yield

    @property
    def path(self) -> Path:
        """Its folder, the prefix."""
        return self.env.path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.env.python

    def variables(self) -> dict[str, str]:
        """What to set for a program that runs in it: what activating it would, and the recipe's variables and tools."""
        return with_tools(self.recipe, self.env.variables() | dict(self.recipe.variables))

    def run_cmd(
        self,
        cmd: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: OnLine | None = show,
        check: bool = True,
        **options: Any,
    ) -> Completed:
        """Run a command in it; see `Env.run_cmd`."""
        return self.env.run_cmd(cmd, env={**self.variables(), **(env or {})}, on_line=on_line, check=check, **options)


def environment_for(
    recipe: EnvRecipe,
    *,
    manager: str | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    offline: bool = False,
    on_line: OnLine | None = None,
) -> ReadyEnv:
    """The environment of a recipe, made where it is not there yet; may take long, and needs the network then.

    Args:
        recipe: What it is made of.
        manager: Who manages it (`env_manager` of a job); the first of the recipe's managers that is there when not given.
        name: What it is called (`env_name`); the recipe's name when not given.
        params: Changes to the recipe (`env_params`): see `overrides.overridden`. With the manager `existing`: its `path`.
        offline: Whether the network must not be used; also where DJSANDBOX_OFFLINE=1 is set.
        on_line: Gets each line that making it prints.

    Raises ConfigError with all that `problems` finds against making it, EnvironmentFailed where that fails, and ComponentError
    where an existing one fails the recipe's check, unless `params` have `check: false`.
    """
    found = find_environment(recipe, manager=manager, name=name, params=params)
    if found is None:
        against = problems(recipe, manager=manager, name=name, params=params, offline=offline, running=False)
        wrong = [problem for problem in against if problem.severity == "error"]
        if wrong:
            raise ConfigError.of(wrong)
        resolved = resolve(recipe, manager=manager, name=name, params=params)
        entry, is_new = build(resolved, Store(), offline=offline or is_offline(), on_line=on_line)
        found = replace(_ready(resolved, entry), is_new=is_new)
    if found.held is not None:
        mark_used(found.held.parent)
    elif found.recipe.check and (params or {}).get(CHECK, True):
        _prove(found, on_line)
    return found


def _prove(theirs: ReadyEnv, on_line: OnLine | None) -> None:
    """Run the recipe's check in an environment that is not ours, once for each state of it; ComponentError where it fails."""
    proof = (theirs.hash, theirs.recipe.check)
    if proof in _proven:
        return
    try:
        theirs.run_cmd(theirs.recipe.check, cwd="/", on_line=on_line)
    except SandboxError as error:
        failed = ComponentError(
            f"the environment {theirs.path} fails the check of the recipe '{theirs.recipe.name}': {error.problems[0].message}",
            fix="install what it lacks, or name another one; to use it all the same: env_params: {check: false}",
        )
        failed.evidence = error.evidence
        raise failed from error
    _proven.add(proof)


def find_environment(
    recipe: EnvRecipe, *, manager: str | None = None, name: str | None = None, params: Mapping[str, Any] | None = None
) -> ReadyEnv | None:
    """The environment, where it is ready; None where it would have to be made. ConfigError where nothing could make it."""
    if _chosen(recipe, manager, params) == EXISTING:
        return _existing(recipe, name if manager else None, params or {})
    resolved = resolve(recipe, manager=manager, name=name, params=params)
    entry = Store().find(resolved.key)
    return _ready(resolved, entry) if entry is not None and entry.problem is None else None


def problems(
    recipe: EnvRecipe,
    *,
    manager: str | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    offline: bool = False,
    running: bool = True,
) -> list[Problem]:
    """All that stands against using or making the environment, found without making or writing anything.

    `running` says whether something is to run in it, on this machine: only then must there be a graphics card that it needs.
    """
    params = params or {}
    try:
        if find_environment(recipe, manager=manager, name=name, params=params) is not None:
            return _missing_here(recipe, manager, params, running)
        resolved = resolve(recipe, manager=manager, name=name, params=params)
    except SandboxError as error:
        return [*error.problems, *_missing_here(recipe, manager, params, running)]
    env = resolved.env(None)
    if env.check_availability():
        at = key_loc(params, "python", "env_py_version", "env_config_path")
        found = [keyed(problem, at) for problem in env.obstacles()]
    else:
        found = [keyed(_missing_manager(resolved), ("env_manager",))]
    found += missing_tools(resolved.recipe, running=running)
    return [*found, *_checkouts(resolved.recipe, params, offline=offline or is_offline())]


def _checkouts(recipe: EnvRecipe, params: Mapping[str, Any], *, offline: bool) -> Iterator[Problem]:
    """What is wrong with the source code of repositories, by the keys of those that `params` name."""
    for repository in recipe.repositories:
        for problem in checkout_problems(replace(recipe, repositories=(repository,)), offline=offline):
            yield keyed(problem, home_loc(params, repository))


def _missing_here(recipe: EnvRecipe, manager: str | None, params: Mapping[str, Any], running: bool) -> list[Problem]:
    """What the machine lacks for an environment that is there; whoever brought his own may know better."""
    missing = missing_tools(recipe, cloning=False, running=running)
    is_theirs = _chosen(recipe, manager, params) == EXISTING
    return [replace(one, severity="warning") for one in missing] if is_theirs else missing


def recipe_hash(
    recipe: EnvRecipe, *, manager: str | None = None, name: str | None = None, params: Mapping[str, Any] | None = None
) -> str:
    """The identity of the environment, 64 hex digits, for content keys; makes and writes nothing. ConfigError as `resolve`."""
    if _chosen(recipe, manager, params) == EXISTING:
        return _existing(recipe, name if manager else None, params or {}).hash
    return resolve(recipe, manager=manager, name=name, params=params).hash


def identity_of(
    recipe: EnvRecipe, *, manager: str | None = None, name: str | None = None, params: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """What the environment is made of, as plain data without secrets. ConfigError as `resolve`."""
    if _chosen(recipe, manager, params) == EXISTING:
        theirs = _existing(recipe, name if manager else None, params or {})
        return {"manager": EXISTING, "path": str(theirs.path), "variables": redact(dict(theirs.recipe.variables))}
    return resolve(recipe, manager=manager, name=name, params=params).identity


def _chosen(recipe: EnvRecipe, manager: str | None, params: Mapping[str, Any] | None) -> str | None:
    """`existing`, where the environment is not to be made; anything else is for `resolve` to choose."""
    return default_manager(recipe, params) if manager is None and EXISTING in recipe.managers else manager


def is_offline() -> bool:
    """Whether DJSANDBOX_OFFLINE forbids the network."""
    return os.environ.get(OFFLINE_VARIABLE, "").lower() not in ("", "0", "false", "no")


def _ready(resolved: Resolved, entry: Entry) -> ReadyEnv:
    env = resolved.env(entry.path)
    env.held = busy_file(entry.folder)
    sources = {name: Path(path) for name, path in entry.facts["sources"].items()}
    recipe, packages = resolved.recipe, entry.facts["packages"]
    return ReadyEnv(resolved.label, recipe, resolved.manager, resolved.hash, env, sources, packages, env.held, resolved.key)


def _existing(recipe: EnvRecipe, name: str | None, params: Mapping[str, Any]) -> ReadyEnv:
    changed, rest, wrong = overridden(recipe, params)
    for key in params:
        if key not in FOR_EXISTING:
            message = f"env_params: '{key}' means nothing for an existing environment"
            wrong.append(KeyProblem(message, fix=did_you_mean(key, FOR_EXISTING), loc=("env_params", key)))
    place = rest.get("path")
    if any(isinstance(one, KeyProblem) and one.loc == ("env_params", "path") for one in wrong):
        raise ConfigError.of(wrong)
    env = ExistingEnv(name, EXISTING, env_path=place)
    loc = ("env_params", "path") if place is not None else ("env_name",)
    attempt(wrong, loc, env.create)
    attempt(wrong, loc, lambda: refuse_separator(env.path))
    homes = {one.name: Path(one.home).expanduser().absolute() for one in changed.repositories if one.home is not None}
    theirs = tuple(one for one in changed.repositories if one.home is not None)
    wrong += _checkouts(replace(changed, repositories=theirs), params, offline=True)
    if wrong:
        raise ConfigError.of(wrong)
    state = _state_of(env, changed, homes)
    return ReadyEnv(name or recipe.name, changed, EXISTING, state, env, MappingProxyType(homes))


def _state_of(env: ExistingEnv, recipe: EnvRecipe, homes: Mapping[str, Path]) -> str:
    """What can be told of an environment that is not ours without running it: interpreter, packages, where checkouts are."""
    lists = ("lib/python*/site-packages/*.dist-info", "lib/python*/dist-packages/*.dist-info", "conda-meta/*.json")
    installed = sorted(path.name for pattern in lists for path in env.path.glob(pattern))
    interpreter = os.path.realpath(env.python)
    places = {name: str(home) for name, home in homes.items()}
    return content_key({"python": interpreter, "installed": installed, "variables": dict(recipe.variables), "homes": places})


def _missing_manager(resolved: Resolved) -> Problem:
    allowed = resolved.recipe.managers
    others = [name for name in allowed if name != resolved.manager]
    hint = f", or use another env_manager: {', '.join(others)}" if others else "" if allowed else ", or use another env_manager"
    return Problem(
        f"the environment '{resolved.label}' is to be made by {resolved.manager}, which is not installed here",
        fix=f"install {resolved.manager}{hint}",
    )
