"""One component of a planned job: found, configured and checked, but not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from djsandbox.components.base import Component
from djsandbox.components.command_executor import CommandConfig
from djsandbox.components.deferred import is_decided_at_run
from djsandbox.components.paths import is_output_field, path_uses
from djsandbox.config.document import Loc
from djsandbox.config.include import is_placeholder
from djsandbox.config.model import Job
from djsandbox.config.schema import problems_of
from djsandbox.engine.environments import AskedEnvironment, environment_of
from djsandbox.engine.guard import asked
from djsandbox.engine.launching.choice import LAUNCHER_KEY, ChosenLauncher, choose
from djsandbox.engine.resolve import ResolvedBlock
from djsandbox.errors import PluginError, Problem
from djsandbox.jobs.base import JobHook, Use
from djsandbox.plugins.functions import FOLDER_OF
from djsandbox.plugins.resolve import Resolved, resolve

TYPE_KEY = "type"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A component as planned.

    `component` is None where its whole config is decided at run, or is wrong; `origin` where even its type is.
    """

    use: Use
    origin: Resolved | None
    block: ResolvedBlock
    component: Component | None
    is_whole: bool = True
    """False where the component's config could not be validated: its answers are guesses then."""

    launcher: ChosenLauncher | None = None
    """Who runs the component's tasks, where its config says so."""

    environment: AskedEnvironment | None = None
    """The environment that the component runs in, where it needs one."""

    def answer(self, what: str, call: Callable[[Component], _Answer], otherwise: _Answer) -> _Answer:
        """What the component answers to `call`; `otherwise` where there is none, or one that cannot be relied on fails."""
        component = self.component
        if component is None:
            return otherwise
        try:
            return asked(type(component), what, lambda: call(component))
        except PluginError:
            if self.is_whole:
                raise
            return otherwise

    def output_paths(self) -> tuple[str, ...]:
        """What the component will write, as the config spells it and as far as it is known."""
        nothing: Sequence[str] = ()
        paths = self.answer("output_paths()", lambda one: one.output_paths(), nothing) if self.use.writes else nothing
        return tuple(path for path in paths if not is_decided_at_run(path))


def type_of(use: Use, hook: JobHook, extra_configs: Mapping[str, Any]) -> str | None:
    """The `type` that the job gives for this use; None where it leaves it to the default.

    `extra_configs.type` means the component that extra_configs feeds, or the only one there is.
    """
    written = extra_configs.get(TYPE_KEY) if _takes_type(use, hook) else None
    return use.default_type if written is None else str(written)


def _takes_type(use: Use, hook: JobHook) -> bool:
    return use.block == "extra_configs" or len(hook.uses) == 1


def config_data(use: Use, block: Mapping[str, Any]) -> dict[str, Any]:
    """What a component's Config is made from: its block, less the type."""
    drop = {TYPE_KEY} if use.block == "extra_configs" else set()
    return {str(key): value for key, value in block.items() if key not in drop}


def plan_part(
    use: Use,
    at: int,
    job: Job,
    hook: JobHook,
    blocks: Mapping[str, ResolvedBlock],
    folder: Path,
    problems: list[Problem],
) -> PlannedPart:
    """Find the component of `use` and check its config; PluginError when it cannot be found."""
    extra = blocks["extra_configs"]
    block = blocks[use.block]
    if extra.is_deferred and _takes_type(use, hook):
        return PlannedPart(use, None, block, None)
    type_name = type_of(use, hook, extra.data)
    try:
        origin = resolve(use.group, type_name, base=use.base, folder=_folder_of(extra, folder))
    except PluginError as error:
        where = extra.document.at((TYPE_KEY,)) if type_name and TYPE_KEY in extra.data else job.at("hook")
        problem = error.problems[0]
        raise PluginError(problem.message, where=problem.where or where, fix=problem.fix) from error
    if block.is_deferred:
        return PlannedPart(use, origin, block, None)
    component, is_whole = _configured(use, origin, block, folder, problems)
    launcher = _launcher(component, block, folder, problems)
    environment = environment_of(component, block, problems) if component is not None and is_whole else None
    return PlannedPart(use, origin, block, component, is_whole, launcher, environment)


def _launcher(
    component: Component | None, block: ResolvedBlock, folder: Path, problems: list[Problem]
) -> ChosenLauncher | None:
    is_ours = component is not None and isinstance(component.config, CommandConfig)
    if not is_ours or block.data.get(LAUNCHER_KEY) is None or block.defers((LAUNCHER_KEY,)):
        return None
    return choose(block.document.part((LAUNCHER_KEY,)), folder, problems)


def _folder_of(block: ResolvedBlock, folder: Path, key: str = TYPE_KEY) -> Path:
    """A `./file.py:Class` is relative to the file that names it."""
    source = Path(block.document.at((key,)).file)
    return source.parent if source.is_file() else folder


def _configured(
    use: Use, origin: Resolved, block: ResolvedBlock, folder: Path, problems: list[Problem]
) -> tuple[Component | None, bool]:
    data = config_data(use, block.data)
    document = block.document.with_data(data)
    component_class: type[Component] = origin.component_class
    model = component_class.Config
    try:
        config = model.model_validate(data, context={FOLDER_OF: lambda field: _folder_of(block, folder, field)})
    except ValidationError as error:
        problems.extend(problems_of(error, document, model, skip=block.deferred))
        # Plan with the rest, unvalidated, so that what else is wrong with the job is found in one go.
        return _unvalidated(component_class, data), False
    component = asked(component_class, "__init__()", lambda: component_class(config))
    for finding in asked(component_class, "check()", lambda: list(component.check())):
        is_moot = not use.writes and is_output_field(model, finding.loc)
        if not block.defers(finding.loc) and not is_moot:
            problems.append(Problem(finding.message, document.at(finding.loc), finding.fix, finding.severity))
    for loc, value in _leaves(data, ()):
        if is_placeholder(value) and not block.defers(loc) and not _is_path(component, loc):
            fix = "write the value there, or let 'input' or 'local' replace it"
            problems.append(Problem(f"nothing replaces the placeholder '{value}'", document.at(loc), fix))
    return component, True


def _unvalidated(component_class: type[Component], data: Mapping[str, Any]) -> Component | None:
    try:
        return component_class(component_class.Config.model_construct(**data))
    except Exception:  # a constructor may rely on what validation would have made
        return None


def _is_path(component: Component, loc: Loc) -> bool:
    return any(use.loc[: len(loc)] == loc for use in path_uses(component.config))


def _leaves(data: Any, loc: Loc) -> Iterator[tuple[Loc, Any]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, (*loc, key))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _leaves(value, (*loc, at))
    else:
        yield loc, data
