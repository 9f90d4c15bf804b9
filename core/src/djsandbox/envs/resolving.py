"""From a recipe and what a job asks for to one definite environment, with its identity."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from djsandbox.envs.base import Env
from djsandbox.envs.dependencies import checked_requirement
from djsandbox.envs.existing import ExistingEnv
from djsandbox.envs.faults import KeyProblem, Loc, attempt
from djsandbox.envs.interpreters import own_version
from djsandbox.envs.local_sources import PROJECT_FILES, local_digest
from djsandbox.envs.overrides import FOR_EXISTING, PARAMS, overridden
from djsandbox.envs.recipe import EnvRecipe, Repository
from djsandbox.envs.requirement_files import read_requirements
from djsandbox.envs.router import env_class
from djsandbox.envs.system import with_tools
from djsandbox.envs.tools import program
from djsandbox.errors import ConfigError, Problem, SandboxError, did_you_mean
from djsandbox.journal.keys import content_key
from djsandbox.redact import redact

FORMAT = 1
"""Raised when the same recipe would now be built differently."""
CONDA = ("conda", "mamba", "micromamba")
_USUAL = ("uv", "virtualenv", "venv")
EXISTING = "existing"
_WITHOUT_PROGRAM = ("venv", EXISTING)


@dataclass(frozen=True)
class Resolved:
    """What is to be made: the recipe with the job's changes, the class of its environment and all that class is given.

    `identity` is the plain data, without secrets, of which `hash` (64 hex digits) is the hash.
    """

    recipe: EnvRecipe
    label: str
    manager: str
    env_class: type[Env]
    parameters: Mapping[str, Any]
    identity: Mapping[str, Any]
    hash: str

    @property
    def key(self) -> str:
        """Names the environment in the store."""
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', self.label).strip('._') or 'env'}-{self.hash[:12]}"

    def env(self, path: Path | None, *, offline: bool = False) -> Env:
        """The environment at `path` (None: where the manager has it), made or not."""
        return self.env_class(self.label, self.manager, env_path=path, offline=offline, **self.parameters)


def resolve(
    recipe: EnvRecipe, *, manager: str | None = None, name: str | None = None, params: Mapping[str, Any] | None = None
) -> Resolved:
    """Read everything the recipe names and choose the manager; ConfigError with all that is wrong. Writes nothing."""
    params = params or {}
    changed, rest, problems = overridden(recipe, params)
    chosen = manager or default_manager(changed, params)
    found = attempt(problems, ("env_manager",), lambda: env_class(chosen))
    if found is not None:
        problems += [*_misfits(changed, chosen, manager, params), *_unknown(rest, found, chosen)]
    identity = _identity(changed, chosen, params, problems)
    if problems or found is None:
        raise ConfigError.of(problems)
    parameters = dict(rest)
    if changed.env_config_path is not None:
        parameters["env_config_path"] = changed.env_config_path
    else:
        parameters["env_py_version"] = changed.python or own_version()
    env = found(name or recipe.name, chosen, **parameters)
    details = attempt(problems, key_loc(params, "env_config_path"), env.describe)
    if problems:
        raise ConfigError.of(problems)
    identity |= {"python": parameters.get("env_py_version"), "manager_details": details}
    return Resolved(changed, name or recipe.name, chosen, found, parameters, identity, content_key(identity))


def default_manager(recipe: EnvRecipe, params: Mapping[str, Any] | None = None) -> str:
    """The first manager of the recipe's that is there; the first of all where none is, for a message to name.

    `existing` among them stands for our own interpreter, where it passes the recipe's check and nothing is to be changed.
    """
    wanted = recipe.managers or (CONDA if recipe.env_config_path is not None else _USUAL)
    makers = [name for name in wanted if name != EXISTING]
    if EXISTING in wanted and (not makers or (_only_for_existing(params or {}) and _our_own_will_do(recipe))):
        return EXISTING
    return next((name for name in makers if is_present(name)), makers[0])


def is_present(manager: str) -> bool:
    """Whether a manager's program is there; quicker than to ask it."""
    if manager in _WITHOUT_PROGRAM:
        return True
    if manager in (*CONDA, *_USUAL):
        return program(manager) is not None
    try:
        return env_class(manager)("any", manager).check_availability()
    except SandboxError:
        return False


def _only_for_existing(params: Mapping[str, Any]) -> bool:
    return set(params) <= set(FOR_EXISTING)


def _our_own_will_do(recipe: EnvRecipe) -> bool:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = recipe.python is None or f"{version}.".startswith(f"{recipe.python}.")
    if not fits or not recipe.check:
        return fits
    try:
        variables = with_tools(recipe, ExistingEnv().variables() | dict(recipe.variables))
    except SandboxError:
        return False
    return _passes(recipe.check, tuple(sorted(variables.items())))


@lru_cache(maxsize=64)
def _passes(check: tuple[str, ...], variables: tuple[tuple[str, str], ...]) -> bool:
    try:
        ExistingEnv().run_cmd(check, env=dict(variables), cwd="/", on_line=None)
    except SandboxError:
        return False
    return True


def _misfits(recipe: EnvRecipe, chosen: str, asked: str | None, params: Mapping[str, Any]) -> list[Problem]:
    if recipe.managers and asked is not None and asked not in recipe.managers:
        fix = f"env_manager: {' or '.join(recipe.managers)}"
        return [KeyProblem(f"the environment '{recipe.name}' cannot be made by {asked}", fix=fix, loc=("env_manager",))]
    if recipe.env_config_path is not None and chosen in _USUAL:
        message = f"the environment '{recipe.name}' has a conda environment file, which {chosen} cannot read"
        loc = key_loc(params, "env_config_path") or ("env_manager",)
        return [KeyProblem(message, fix=f"env_manager: {' or '.join(CONDA)}", loc=loc)]
    return []


def _unknown(rest: Mapping[str, Any], found: type[Env], manager: str) -> list[Problem]:
    known = (*PARAMS, *found.parameters)
    return [
        KeyProblem(f"env_params: {manager} does not know '{name}'", fix=did_you_mean(name, known), loc=("env_params", name))
        for name in rest
        if name not in found.parameters
    ]


def home_loc(params: Mapping[str, Any], repository: Repository) -> Loc:
    """Where `env_params` name the checkout of a repository; empty where they do not."""
    homes = params.get("homes")
    named = isinstance(homes, Mapping) and repository.name in homes
    return ("env_params", "homes", repository.name) if named else ()


def key_loc(params: Mapping[str, Any], *names: str, text: str | None = None) -> Loc:
    """The first of the `env_params` of these names, or the place of `text` in one of them; empty where it is the recipe's."""
    for name in names:
        if text is None and params.get(name) is not None:
            return ("env_params", name)
        if text is not None and isinstance(params.get(name), (list, tuple)) and text in params[name]:
            return ("env_params", name, params[name].index(text))
    return ()


def _identity(recipe: EnvRecipe, manager: str, params: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The identity, as far as it can be told; what is wrong with requirements, files and sources is put to `problems`."""
    for text in _all_requirements(recipe):
        loc = key_loc(params, "requirements", "constraints", text=text)
        attempt(problems, loc, lambda text=text: checked_requirement(text))  # type: ignore[misc]

    def content(file: str) -> dict[str, Any] | None:
        loc = key_loc(params, "requirement_files", text=file)
        return attempt(problems, loc, lambda: _content(Path(file), recipe))

    def source(repository: Repository) -> dict[str, Any] | None:
        return attempt(problems, home_loc(params, repository), lambda: _source(repository, recipe))

    steps = [
        {
            "requirements": list(step.requirements),
            "local": _local(step.requirements),
            "files": [content(file) for file in step.requirement_files],
            "pip_options": list(step.pip_options),
        }
        for step in recipe.steps()
    ]
    data = {
        "format": FORMAT,
        "platform": sysconfig.get_platform(),
        "manager": manager,
        "steps": steps,
        "constraints": list(recipe.constraints),
        "leave_out": list(recipe.leave_out),
        "repositories": [source(repository) for repository in recipe.repositories],
        "variables": dict(recipe.variables),
        "check": list(recipe.check),
    }
    plain: dict[str, Any] = redact(data)
    return plain


def _all_requirements(recipe: EnvRecipe) -> list[str]:
    return [*recipe.constraints, *(text for step in recipe.steps() for text in step.requirements)]


def _content(file: Path, recipe: EnvRecipe) -> dict[str, Any]:
    found = read_requirements(file.expanduser().absolute(), recipe.leave_out)
    return {"lines": list(found.lines), "constraints": list(found.constraints), "local": _local(found.lines)}


def _local(lines: Sequence[str]) -> dict[str, str]:
    return {line: digest for line in lines if (digest := local_digest(line)) is not None}


def _source(repository: Repository, recipe: EnvRecipe) -> dict[str, Any]:
    said = {"name": repository.name, "install": repository.install, "subfolder": repository.subfolder}
    if repository.home is None:
        patches = [_text(Path(patch)) for patch in repository.patches]
        files = list(repository.requirement_files)
        return {**said, "url": repository.url, "commit": repository.commit, "patches": patches, "files": files}
    home = Path(repository.home).expanduser().absolute()
    project = home / repository.subfolder
    declared = PROJECT_FILES if repository.install != "no" else ()
    return {
        **said,
        "home": str(home),
        "files": [_content(home / file, recipe) for file in repository.requirement_files if home.is_dir()],
        "project": {name: _text(project / name) for name in declared if (project / name).is_file()},
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}, which the recipe names, cannot be read: {error}") from error
