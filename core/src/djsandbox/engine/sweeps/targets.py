"""Which places of a config the parameters of a sweep address, and the config with a trial's values there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from djsandbox.config.model import Job, LocalValue, SandboxConfig
from djsandbox.config.overrides import Setting, job_settings
from djsandbox.config.references import Target
from djsandbox.config.sweep import Parameter
from djsandbox.errors import Problem, did_you_mean

OP_LIST = "process"
Recipes = Mapping[str, Mapping[str, Any]]
"""Job id -> its data recipe (`dj_configs`), as far as it is known before the run."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one job."""

    job_id: str
    target: Target


@dataclass(frozen=True, slots=True)
class Targets:
    """The places that each parameter sets, by the parameter's name."""

    places: Mapping[str, tuple[Place, ...]]
    bare_ops: tuple[tuple[Place, Any], ...] = ()
    """Ops that a recipe only names, as mappings: without one there is no place for an argument."""

    def applied(self, config: SandboxConfig, values: Mapping[str, Any], parameters: Sequence[Parameter]) -> SandboxConfig:
        """`config` with the `values` of a trial."""
        where = {parameter.name: parameter.where for parameter in parameters}
        by_job: dict[str, list[LocalValue]] = {}
        for place, value in self.bare_ops:
            by_job.setdefault(place.job_id, []).append(LocalValue(place.target, value, config.at("hpo_config")))
        for name, value in values.items():
            for place in self.places.get(name, ()):
                by_job.setdefault(place.job_id, []).append(LocalValue(place.target, value, where[name]))
        pipelines = tuple(
            replace(
                pipeline,
                jobs=tuple(replace(job, local=(*job.local, *by_job.get(job.id, ()))) for job in pipeline.jobs),
            )
            for pipeline in config.pipelines
        )
        return replace(config, pipelines=pipelines)


@dataclass(slots=True)
class _Finder:
    jobs: Sequence[Job]
    recipes: Recipes
    places: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    bare_ops: dict[Place, Any] = field(default_factory=dict)

    def find(self, parameter: Parameter) -> Iterator[Problem]:
        """Note the places of `parameter`; a problem where it has none."""
        steps = tuple(parameter.name.split("."))
        setting = Setting(steps, None, parameter.where)
        if setting.block_at is not None:
            values, problems = job_settings([setting], self.jobs)
            yield from problems
            found = [Place(job_id, value.target) for job_id, ones in values.items() for value in ones]
            if found and not found[0].target.path:
                yield Problem(f"'{parameter.name}' is a whole block", parameter.where, "name one of its keys")
        else:
            found = list(self._in_recipes(steps))
            if not found:
                yield self._nowhere(parameter, steps)
        self.places[parameter.name] = tuple(found)

    def _in_recipes(self, steps: tuple[str, ...]) -> Iterator[Place]:
        op, *argument = steps
        if not argument:
            return
        for job_id, recipe in self.recipes.items():
            for at, entry in enumerate(_ops(recipe)):
                if entry == op:
                    self.bare_ops[Place(job_id, _op_target(at))] = {op: {}}
                if entry == op or (isinstance(entry, Mapping) and op in entry):
                    yield Place(job_id, _op_target(at, op, *argument))

    def _nowhere(self, parameter: Parameter, steps: tuple[str, ...]) -> Problem:
        message = f"the parameter '{parameter.name}' addresses nothing"
        names = {name for recipe in self.recipes.values() for entry in _ops(recipe) for name in _names(entry)}
        fix = "write pipeline.meta_name.extra_configs.key, ....dj_configs.key, or op_name.argument"
        return Problem(
            message,
            parameter.where,
            f"no recipe has the op '{steps[0]}': {did_you_mean(steps[0], names)}" if len(steps) > 1 and names else fix,
        )


def find_targets(config: SandboxConfig, parameters: Sequence[Parameter], recipes: Recipes, problems: list[Problem]) -> Targets:
    """The places of all `parameters`; what addresses nothing, or what something else sets, too, is added to `problems`."""
    jobs = list(config.jobs())
    finder = _Finder(jobs, recipes)
    for parameter in parameters:
        problems.extend(finder.find(parameter))
    problems.extend(_conflicts(config, parameters, finder.places))
    return Targets(finder.places, tuple(finder.bare_ops.items()))


def _conflicts(
    config: SandboxConfig, parameters: Sequence[Parameter], places: Mapping[str, tuple[Place, ...]]
) -> Iterator[Problem]:
    jobs = {job.id: job for job in config.jobs()}
    taken: list[tuple[Place, str]] = []
    for parameter in parameters:
        for place in places[parameter.name]:
            job = jobs[place.job_id]
            others = [name for other, name in taken if other.job_id == job.id and _overlap(other.target, place.target)]
            others += ["its 'input'" for link in job.inputs if link.target.path and _overlap(link.target, place.target)]
            others += [
                "the 'iter_updater'"
                for update in config.iter_updater
                if (update.pipeline, update.meta_name) == (job.pipeline, job.meta_name)
                and _overlap(update.target, place.target)
            ]
            if others:
                message = f"'{parameter.name}' sets '{place.target.text}' of {job.id}, and so does {others[0]}"
                yield Problem(message, parameter.where, "remove one of the two")
            taken.append((place, f"'{parameter.name}'"))


def _overlap(one: Target, other: Target) -> bool:
    shorter = min(len(one.path), len(other.path))
    return one.block == other.block and one.path[:shorter] == other.path[:shorter]


def _ops(recipe: Mapping[str, Any]) -> Sequence[Any]:
    ops = recipe.get(OP_LIST)
    return ops if isinstance(ops, list) else ()


def _names(entry: Any) -> Sequence[str]:
    return [str(name) for name in entry] if isinstance(entry, Mapping) else [str(entry)]


def _op_target(at: int, *path: str) -> Target:
    steps = (OP_LIST, str(at), *path)
    return Target(".".join(("dj_configs", *steps)), "dj_configs", steps)
