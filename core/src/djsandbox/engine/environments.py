"""The environments that the components of a job run in: asked for by the plan, made and handed over by the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from djsandbox.components.base import Component
from djsandbox.components.environment import EnvConfig
from djsandbox.components.naming import named_class
from djsandbox.config.document import Document
from djsandbox.engine.guard import asked
from djsandbox.engine.resolve import ResolvedBlock
from djsandbox.envs.differences import told_apart
from djsandbox.envs.environment import (
    ReadyEnv,
    environment_for,
    find_environment,
    identity_of,
    problems,
    recipe_hash,
)
from djsandbox.envs.faults import KeyProblem, Loc
from djsandbox.envs.recipe import EnvRecipe
from djsandbox.envs.recipes import find_recipe
from djsandbox.envs.resolving import EXISTING
from djsandbox.errors import ConfigError, PluginError, Position, Problem, SandboxError
from djsandbox.journal.keys import content_key

_KEYS = ("env_params", "env_manager", "env_name")


@dataclass(frozen=True, slots=True)
class AskedEnvironment:
    """A recipe with what a component's config, and its user, want of it.

    `where` is the place that says so, `document` has those of its keys, `written` what the user has put below `env_params`.
    """

    recipe: EnvRecipe
    name: str | None
    manager: str | None
    params: Mapping[str, Any]
    where: Position
    document: Document
    written: Mapping[str, Any]

    @property
    def called(self) -> str:
        """Its name, which others may have, too."""
        return self.name or self.recipe.name

    def options(self) -> dict[str, Any]:
        """As the functions of `djsandbox.envs` take them."""
        return {"manager": self.manager, "name": self.name, "params": self.params}

    def hash(self) -> str:
        """The identity of the environment, for content keys."""
        return recipe_hash(self.recipe, **self.options())

    def problems(self) -> list[Problem]:
        """What stands against using or making it."""
        return [self._placed(one) for one in problems(self.recipe, **self.options())]

    def _placed(self, problem: Problem) -> Problem:
        """`problem` at the line of its key; what the component itself has changed is no fault of the user's."""
        loc = problem.loc if isinstance(problem, KeyProblem) else ()
        message = problem.message
        if loc[:1] == ("env_params",) and not _holds(self.written, loc[1:]):
            message = f"the component's recipe_changes(): {message.removeprefix('env_params: ')}"
        elif loc and problem.where is None:
            return replace(problem, where=self.document.at(loc))
        return Problem(message, problem.where or self.where, problem.fix, problem.severity)

    def shown(self) -> str:
        """Its name, and whether it is there."""
        try:
            found = find_environment(self.recipe, **self.options())
        except SandboxError:
            return f"{self.called} (wrong)"
        if found is None:
            return f"{self.called} (to be made)"
        return f"{found.name} ({found.manager})"

    def ready(self, on_line: Callable[[str], None]) -> ReadyEnv:
        """The environment, made where it is not there yet."""
        return environment_for(self.recipe, **self.options(), on_line=on_line)


def environment_of(component: Component, block: ResolvedBlock, found: list[Problem]) -> AskedEnvironment | None:
    """The environment that `component` runs in; None where it needs none, or where what it needs is wrong or not known yet."""
    kind = type(component)
    asked_for = asked(kind, "env_recipe()", component.env_recipe)
    if asked_for is None or any(block.defers((key,)) for key in _KEYS):
        return None
    where = next((block.document.at((key,)) for key in _KEYS if key in block.data), block.document.at(()))
    if not isinstance(component.config, EnvConfig):
        raise PluginError(
            f"the component {named_class(kind)} has an env recipe, and its Config is no EnvConfig",
            fix="class Config(EnvConfig):",
        )
    try:
        recipe = asked_for if isinstance(asked_for, EnvRecipe) else find_recipe(str(asked_for))
    except SandboxError as error:
        found.extend(replace(problem, where=problem.where or where) for problem in error.problems)
        return None
    config = component.config
    params = _merged(asked(kind, "recipe_changes()", lambda: dict(component.recipe_changes())), config.env_params)
    return AskedEnvironment(recipe, config.env_name, config.env_manager, params, where, block.document, dict(config.env_params))


def environment_problems(asking: Sequence[AskedEnvironment]) -> Iterator[Problem]:
    """What stands against the environments, once for each that several jobs share; of several with one name, of which."""
    different = _different(asking)
    for one in different:
        found = one.problems()
        alike = [other for other in different if other.called == one.called]
        which = _told_apart(one, alike) if found and len(alike) > 1 else ""
        yield from (replace(problem, message=f"{problem.message}{which}") for problem in found)


def _different(asking: Sequence[AskedEnvironment]) -> list[AskedEnvironment]:
    """One of each that several jobs share."""
    found: dict[str, AskedEnvironment] = {}
    for one in asking:
        found.setdefault(content_key({"recipe": repr(one.recipe), "options": repr(one.options())}), one)
    return list(found.values())


def _told_apart(one: AskedEnvironment, alike: Sequence[AskedEnvironment]) -> str:
    """Which of several environments of one name is meant, where that can be told."""
    try:
        identities = {other.hash(): identity_of(other.recipe, **other.options()) for other in alike}
        which = list(identities).index(one.hash()) if len(identities) > 1 else None
    except SandboxError:  # what is wrong with one of them is told by its own problems
        return ""
    if which is None:
        return ""
    return f" (of the environments called '{one.called}', the one with {told_apart(list(identities.values()))[which]})"


def prove_existing(asking: Sequence[AskedEnvironment]) -> None:
    """Run the recipes' checks in environments of the user's own, before anything else runs; ConfigError where some fail."""
    found: list[Problem] = []
    for one in _different(asking):
        if one.manager == EXISTING:
            try:
                one.ready(lambda line: None)
            except SandboxError as error:
                found += [replace(problem, where=problem.where or one.where) for problem in error.problems]
    if found:
        raise ConfigError.of(list(dict.fromkeys(found)))


@contextmanager
def in_environments(
    components: Sequence[Component],
    asking: Sequence[AskedEnvironment | None],
    on_ready: Callable[[ReadyEnv], None],
) -> Iterator[None]:
    """While open, the components have the environments that they ask for, which nobody removes; they are made before."""
    with ExitStack() as stack:
        for component, one in zip(components, asking, strict=True):
            if one is not None:
                ready = one.ready(component.logger.info)
                stack.enter_context(ready.in_use())
                component.attach(replace(component.context, environment=ready))
                on_ready(ready)
        yield


def _merged(changes: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What the component changes and, over that, what the user does; mappings (`homes`, `variables`) key by key."""
    merged = dict(changes)
    for name, value in params.items():
        both = isinstance(merged.get(name), Mapping) and isinstance(value, Mapping)
        merged[name] = {**merged[name], **value} if both else value
    return merged


def _holds(written: Any, loc: Loc) -> bool:
    """Whether what is written has something at `loc`."""
    for step in loc:
        if isinstance(written, Mapping):
            if step not in written:
                return False
            written = written[step]
    return True
