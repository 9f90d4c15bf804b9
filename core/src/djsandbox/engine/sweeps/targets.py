"""Which places of a config the parameters of a sweep address, and the config with a trial's values there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from djsandbox.config.model import Job, LocalValue, SandboxConfig
from djsandbox.config.overrides import COMMAND_LINE, Setting, job_settings
from djsandbox.config.references import Target
from djsandbox.config.sweep import Parameter
from djsandbox.errors import Problem, did_you_mean
from djsandbox.redact import is_secret

OP_LIST = "process"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A data recipe (`dj_configs`) as far as it is known before the run; `content` None where only the run will know.

    `is_certain` is False for one that a job writes: it may leave ops out that are foreseen.
    """

    content: Mapping[str, Any] | None
    is_certain: bool = True


Recipes = Mapping[str, Recipe]
"""By job id."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one job; `is_certain` where it is known before the run that the job has it."""

    job_id: str
    target: Target
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Targets:
    """The places that each parameter sets, by the parameter's name."""

    places: Mapping[str, tuple[Place, ...]]

    def values_of(self, values: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, list[LocalValue]]:
        """What the `values` of a trial put into each job, by its id."""
        where = {parameter.name: parameter.where for parameter in parameters}
        by_job: dict[str, list[LocalValue]] = {}
        for name, value in values.items():
            for place in self.places.get(name, ()):
                given = LocalValue(place.target, value, where[name], if_there=not place.is_certain)
                by_job.setdefault(place.job_id, []).append(given)
        return by_job


def with_values(config: SandboxConfig, values: Mapping[str, Sequence[LocalValue]]) -> SandboxConfig:
    """`config` with further values in its jobs, by job id."""

    def changed(job: Job) -> Job:
        return replace(job, local=(*job.local, *values.get(job.id, ())))

    return replace(
        config,
        pipelines=tuple(replace(pipeline, jobs=tuple(map(changed, pipeline.jobs))) for pipeline in config.pipelines),
    )


@dataclass(slots=True)
class _Finder:
    jobs: Sequence[Job]
    recipes: Recipes
    places: dict[str, tuple[Place, ...]] = field(default_factory=dict)

    def find(self, parameter: Parameter) -> Iterator[Problem]:
        """Note the places of `parameter`; a problem where it has none."""
        steps = tuple(parameter.name.split("."))
        self.places[parameter.name] = ()
        if not all(steps):
            yield Problem(f"'{parameter.name}' is no address: a part of it is empty", parameter.where, _FORMS)
            return
        if is_secret(steps[-1]):
            fix = "put it into the config or the environment"
            yield Problem(f"'{parameter.name}' is a secret, and the values of trials are written down", parameter.where, fix)
            return
        setting = Setting(steps, None, parameter.where)
        if setting.block_at is not None:
            values, problems = job_settings([setting], self.jobs)
            yield from problems
            found = [Place(job_id, value.target) for job_id, ones in values.items() for value in ones]
            if found and not found[0].target.path:
                yield Problem(f"'{parameter.name}' is a whole block", parameter.where, "name one of its keys")
        else:
            found = list(self._in_recipes(steps))
            yield from self._doubts(parameter, steps, found)
        self.places[parameter.name] = tuple(found)

    def _in_recipes(self, steps: tuple[str, ...]) -> Iterator[Place]:
        op, *argument = steps
        target = Target(".".join(("dj_configs", OP_LIST, *steps)), "dj_configs", (OP_LIST, *steps))
        for job_id, recipe in self.recipes.items():
            if recipe.content is None:
                yield Place(job_id, target, is_certain=False)
            elif argument and any(entry == op or (isinstance(entry, Mapping) and op in entry) for entry in _ops(recipe)):
                yield Place(job_id, target, recipe.is_certain)

    def _doubts(self, parameter: Parameter, steps: tuple[str, ...], found: Sequence[Place]) -> Iterator[Problem]:
        unknown = [place.job_id for place in found if not place.is_certain]
        if len(unknown) < len(found):
            return
        if unknown and len(steps) > 1:
            message = f"whether a recipe has the op '{steps[0]}' is only known at run: {', '.join(unknown)}"
            yield Problem(message, parameter.where, severity="warning")
            return
        names = {name for recipe in self.recipes.values() for entry in _ops(recipe) for name in _names(entry)}
        fix = f"no recipe has the op '{steps[0]}': {did_you_mean(steps[0], names)}" if len(steps) > 1 and names else _FORMS
        yield Problem(f"the parameter '{parameter.name}' addresses nothing", parameter.where, fix)


_FORMS = "write pipeline.meta_name.extra_configs.key, pipeline.meta_name.dj_configs.key, or op_name.argument"


def find_targets(config: SandboxConfig, parameters: Sequence[Parameter], recipes: Recipes, problems: list[Problem]) -> Targets:
    """The places of all `parameters`; what addresses nothing, or what something else sets, too, is added to `problems`."""
    finder = _Finder(list(config.jobs()), recipes)
    for parameter in parameters:
        problems.extend(finder.find(parameter))
    problems.extend(_conflicts(config, parameters, finder.places))
    return Targets(finder.places)


def _conflicts(
    config: SandboxConfig, parameters: Sequence[Parameter], places: Mapping[str, tuple[Place, ...]]
) -> Iterator[Problem]:
    jobs = {job.id: job for job in config.jobs()}
    taken: list[tuple[Place, str]] = []
    for parameter in parameters:
        for place in places[parameter.name]:
            job = jobs[place.job_id]
            others = [name for other, name in taken if other.job_id == job.id and _overlap(other.target, place.target)]
            others += [name for target, name in _set_elsewhere(config, job) if _overlap(target, place.target)]
            if others:
                message = f"'{parameter.name}' sets '{place.target.text}' of {job.id}, and so does {others[0]}"
                yield Problem(message, parameter.where, "remove one of the two")
            taken.append((place, f"'{parameter.name}'"))


def _set_elsewhere(config: SandboxConfig, job: Job) -> Iterator[tuple[Target, str]]:
    """What else sets places of `job`, so that a sweep's value would be lost, or silently win over what was typed."""
    for link in job.inputs:
        if link.target.path:
            yield link.target, "its 'input'"
    for value in job.local:
        if value.where.file.startswith(COMMAND_LINE):
            yield value.target, value.where.file
    for update in config.iter_updater:
        if (update.pipeline, update.meta_name) == (job.pipeline, job.meta_name):
            yield update.target, "the 'iter_updater'"


def _overlap(one: Target, other: Target) -> bool:
    first, second = _by_name(one), _by_name(other)
    shorter = min(len(first), len(second))
    return one.block == other.block and first[:shorter] == second[:shorter]


def _by_name(target: Target) -> tuple[str, ...]:
    """The path of `target`, with the numbers of ops left out where their names follow."""
    path = target.path
    is_numbered = target.block == "dj_configs" and len(path) > 2 and path[0] == OP_LIST and path[1].isdigit()
    return (path[0], *path[2:]) if is_numbered else path


def _ops(recipe: Recipe) -> Sequence[Any]:
    ops = (recipe.content or {}).get(OP_LIST)
    return ops if isinstance(ops, list) else ()


def _names(entry: Any) -> Sequence[str]:
    return [str(name) for name in entry] if isinstance(entry, Mapping) else [str(entry)]
