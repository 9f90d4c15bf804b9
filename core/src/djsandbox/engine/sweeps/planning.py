"""Planning a sweep: everything its trials could stumble over is found before the first of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from djsandbox.components.sweeper import Sweeper
from djsandbox.config.document import Document
from djsandbox.config.model import SandboxConfig
from djsandbox.config.schema import problems_of
from djsandbox.config.sweep import Parameter
from djsandbox.config.sweep_file import SweepParts, read_parts
from djsandbox.engine.folders import Folders
from djsandbox.engine.guard import asked
from djsandbox.engine.plan import Planner, make_plan
from djsandbox.engine.planned import Plan
from djsandbox.engine.sweeps.objective import Objective, check_early_termination, doubt_metric, find_objective
from djsandbox.engine.sweeps.planned import PlannedSweep
from djsandbox.engine.sweeps.targets import OP_LIST, Recipe, Recipes, find_targets, with_values
from djsandbox.errors import ConfigError, PluginError, Position, Problem, SandboxError
from djsandbox.plugins.resolve import resolve

_MOST_EXAMPLES = 1000


def plan_sweep(config: SandboxConfig) -> Plan:
    """The plan of `config` with a first example of the parameters' values; ConfigError with every problem found."""
    problems: list[Problem] = []
    parts = _read(config, problems)
    if parts is None:
        problems.extend(_errors_of(config))
        raise ConfigError.of(problems)
    targets = find_targets(config, parts.parameters, _recipes(config), problems)
    sweeper = _sweeper(parts, config, problems)
    tried = [with_values(config, targets.values_of(values, parts.parameters)) for values in examples(parts.parameters)]
    made = list(_plans(tried, parts.parameters, problems))
    objective = _objective(parts, tried[0], problems)
    if sweeper is None or objective is None or parts.whole is None or any(one.severity == "error" for one in problems):
        raise ConfigError.of(problems)
    planned = PlannedSweep(parts.whole, targets, objective, sweeper, tuple(one.jobs for one in made))
    return Plan(config, made[0].jobs, (*made[0].warnings, *problems), planned)


def _plans(tried: Sequence[SandboxConfig], parameters: Sequence[Parameter], problems: list[Problem]) -> Iterator[Plan]:
    """The plans of all of `tried`; of values that are refused, the first of each parameter is a problem."""
    places = {parameter.where for parameter in parameters}
    refused: set[Position | None] = set()
    for config in tried:
        try:
            yield make_plan(config)
        except ConfigError as error:
            problems.extend(one for one in error.problems if one.where not in refused)
            refused |= places & {one.where for one in error.problems}


def examples(parameters: Sequence[Parameter]) -> Iterator[Mapping[str, Any]]:
    """Values that stand for all of the search space: each example of each parameter occurs, with the first of the others.

    What only a combination of values can show is left to the trials.
    """
    choices = {parameter.name: parameter.examples() for parameter in parameters}
    first = {name: ones[0] for name, ones in choices.items()}
    yield first
    yield {name: ones[-1] for name, ones in choices.items()}
    others = [{**first, name: value} for name, ones in choices.items() for value in ones[1:-1]]
    yield from others[:_MOST_EXAMPLES]


def _read(config: SandboxConfig, problems: list[Problem]) -> SweepParts | None:
    path = config.hpo_config
    if path is None or not path.is_file():
        fix = "check the path; it is relative to the current directory or else to this file"
        message = (
            f"the sweep file '{path}' is a folder" if path and path.is_dir() else f"the sweep file '{path}' does not exist"
        )
        problems.append(Problem(message, config.at("hpo_config"), fix))
        return None
    try:
        return read_parts(path, problems)
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _recipes(config: SandboxConfig) -> Recipes:
    """What each job's `dj_configs` will be, also where something else about the job is wrong."""
    planner = Planner(config)
    planner.plan_all()
    recipes = {job.id: Recipe(job.dj_configs.document.data) for job in config.jobs() if job.dj_configs.document is not None}
    for one in planner.planned:
        block = one.dj_configs
        if block.is_deferred or block.defers((OP_LIST,)):
            recipes[one.job.id] = Recipe(None)
        elif block.data:
            is_given = any(link.target.block == "dj_configs" and not link.target.path for link in one.job.inputs)
            is_written = is_given or planner.products.producer(block.document.file) is not None
            recipes[one.job.id] = Recipe(block.data, is_certain=not is_written)
    return recipes


def _errors_of(config: SandboxConfig) -> Sequence[Problem]:
    try:
        make_plan(config)
    except ConfigError as error:
        return error.problems
    return ()


def _sweeper(parts: SweepParts, config: SandboxConfig, problems: list[Problem]) -> Sweeper | None:
    where, file = parts.at("sweeper"), Path(parts.document.file)
    name, folder = parts.sweeper, file.parent
    if config.hpo_backend is not None:
        if name is not None and name != config.hpo_backend:
            message = f"'hpo_backend: {config.hpo_backend}' and 'sweeper: {name}' in {file} are two backends for one sweep"
            problems.append(Problem(message, config.at("hpo_backend"), "remove one"))
            return None
        name, folder, where = config.hpo_backend, config.folder, config.at("hpo_backend")
    try:
        origin = resolve("sweepers", name, base=Sweeper, folder=folder)
    except PluginError as error:
        found = error.problems[0]
        problems.append(replace(found, where=found.where or where))
        return None
    sweeper_class: type[Sweeper] = origin.component_class
    document = parts.options or Document({}, str(file), {(): where})
    try:
        options = sweeper_class.Config.model_validate(document.data)
        sweep = parts.whole
        if sweep is None:  # its check() is for a whole one
            return None
        made = asked(sweeper_class, "__init__()", lambda: sweeper_class(options, sweep, Folders(config.work_dir).sweep))
        made.project_name, made.experiment_name = config.project_name, config.experiment_name
        problems.extend(
            Problem(found.message, document.at(found.loc), found.fix, found.severity)
            for found in asked(sweeper_class, "check()", lambda: list(made.check()))
        )
    except ValidationError as error:
        problems.extend(problems_of(error, document, sweeper_class.Config, known=("type", "parallel")))
        return None
    except SandboxError as error:
        problems.extend(replace(problem, where=problem.where or where) for problem in error.problems)
        return None
    return made


def _objective(parts: SweepParts, config: SandboxConfig, problems: list[Problem]) -> Objective | None:
    """The objective of trials like `config`, also where something about some of its jobs is wrong."""
    if parts.metric is None:
        return None
    planner = Planner(config)
    planner.plan_all()
    objective: Objective | None = None
    try:
        objective = find_objective(parts.metric, planner.sources)
    except (LookupError, ValueError) as error:
        problems.append(Problem(str(error.args[0]), parts.metric.where, *error.args[1:]))
    else:
        problems.extend(doubt_metric(objective, planner.planned))
    if parts.early_terminate is not None:
        problems.extend(check_early_termination(parts.early_terminate, parts.metric, objective, planner.planned))
    return objective
