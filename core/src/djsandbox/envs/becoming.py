"""Letting a command in an environment take the place of this process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from djsandbox.envs.base import Env
from djsandbox.envs.lock import hold
from djsandbox.envs.recipe import EnvRecipe
from djsandbox.envs.recipes import load_recipe, recipe_claims
from djsandbox.envs.store import Entry, mark_used
from djsandbox.envs.system import with_tools
from djsandbox.errors import SandboxError
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment
from djsandbox.process.failures import ProcessNotStarted
from djsandbox.redact import REDACTED, redact


def recipe_of(entry: Entry) -> EnvRecipe | None:
    """The recipe that an environment was made of, as the installed plugin has it now; None where it can no longer be had."""
    claim = next((claim for claim in recipe_claims() if claim.name == entry.facts["recipe"]), None)
    try:
        return None if claim is None else load_recipe(claim)
    except SandboxError:
        return None


def variables_of(entry: Entry, recipe: EnvRecipe | None) -> tuple[dict[str, str], list[str]]:
    """The variables that an environment was made with, and the names of those that nobody knows the value of.

    Secrets are not kept: they are those of the recipe, or our own variables of the same name.
    """
    known: dict[str, str] = {}
    unknown: list[str] = []
    for name, kept in entry.facts["identity"]["variables"].items():
        sources: list[Mapping[str, str]] = [] if recipe is None else [recipe.variables]
        offered = [source[name] for source in (*sources, os.environ) if name in source]
        fitting = [value for value in offered if redact({name: value})[name] == kept]
        if REDACTED not in kept:
            known[name] = kept
        elif fitting:
            known[name] = fitting[0]
        else:
            unknown.append(name)
    return known, unknown


def become(env: Env, argv: Sequence[str], variables: Mapping[str, str], recipe: EnvRecipe | None) -> NoReturn:
    """Run a command in `env` in place of this process, which holds the environment until it ends.

    Raises SandboxError where the environment has just been removed, ProcessNotStarted where there is no such program.
    """
    variables = env.variables() | dict(variables)
    command = Command(tuple(argv), env=child_environment(variables if recipe is None else with_tools(recipe, variables)))
    if env.held is not None:
        try:
            os.set_inheritable(hold(env.held), True)
            mark_used(env.held.parent)
        except FileNotFoundError:
            pass  # its folder is gone, and so is the environment
    if not env.exists():
        raise SandboxError(f"the environment {env.env_name} was removed at this moment", fix="djsandbox envs create makes it")
    sys.stdout.flush()
    sys.stderr.flush()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by Python, and that would be inherited
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command.argv[0], command.argv, command.env)  # noqa: S606 - the point is that there is no shell
    except OSError as error:
        raise ProcessNotStarted(command, error.errno or 0, "exec") from error
