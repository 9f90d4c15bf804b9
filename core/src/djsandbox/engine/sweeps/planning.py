"""Planning a sweep: everything its trials could stumble over is found before the first of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from djsandbox.components.sweeper import Sweeper
from djsandbox.config.document import Document
from djsandbox.config.model import SandboxConfig
from djsandbox.config.schema import problems_of
from djsandbox.config.sweep import Parameter, SweepConfig
from djsandbox.config.sweep_file import read_sweep
from djsandbox.engine.folders import Folders
from djsandbox.engine.guard import asked
from djsandbox.engine.plan import Planner, make_plan
from djsandbox.engine.planned import Plan
from djsandbox.engine.sweeps.objective import Objective, check_early_termination, doubt_metric, find_objective
from djsandbox.engine.sweeps.planned import PlannedSweep
from djsandbox.engine.sweeps.targets import OP_LIST, Recipe, Recipes, find_targets, with_values
from djsandbox.errors import ConfigError, PluginError, Problem, SandboxError
from djsandbox.plugins.resolve import resolve

_MOST_EXAMPLES = 1000


def plan_sweep(config: SandboxConfig) -> Plan:
    """The plan of `config` with a first example of the parameters' values; ConfigError with every problem found."""
    problems: list[Problem] = []
    sweep = _read(config, problems)
    if sweep is None:
        problems.extend(_errors_of(config))
        raise ConfigError.of(problems)
    targets = find_targets(config, sweep.parameters, _recipes(config), problems)
    sweeper = _sweeper(sweep, config, problems)
    made: list[Plan] = []
    for values in examples(sweep.parameters):
        try:
            made.append(make_plan(with_values(config, targets.values_of(values, sweep.parameters))))
        except ConfigError as error:
            problems.extend(error.problems)
    plan = made[0] if made else None
    objective = _objective(sweep, plan, problems) if plan else None
    if plan is None or objective is None or sweeper is None or any(problem.severity == "error" for problem in problems):
        raise ConfigError.of(problems)
    planned = PlannedSweep(sweep, targets, objective, sweeper, tuple(one.jobs for one in made))
    return Plan(config, plan.jobs, (*plan.warnings, *problems), planned)


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


def _read(config: SandboxConfig, problems: list[Problem]) -> SweepConfig | None:
    path = config.hpo_config
    if path is None or not path.is_file():
        fix = "check the path; it is relative to the current directory or else to this file"
        problems.append(Problem(f"the sweep file '{path}' does not exist", config.at("hpo_config"), fix))
        return None
    try:
        return read_sweep(path, problems)
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


def _sweeper(sweep: SweepConfig, config: SandboxConfig, problems: list[Problem]) -> Sweeper | None:
    where = sweep.at("sweeper")
    try:
        origin = resolve("sweepers", sweep.sweeper, base=Sweeper, folder=sweep.file.parent)
    except PluginError as error:
        found = error.problems[0]
        problems.append(replace(found, where=found.where or where))
        return None
    sweeper_class: type[Sweeper] = origin.component_class
    document = sweep.options or Document({}, str(sweep.file), {(): where})
    try:
        options = sweeper_class.Config.model_validate(document.data)
        made = asked(sweeper_class, "__init__()", lambda: sweeper_class(options, sweep, Folders(config.work_dir).sweep))
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


def _objective(sweep: SweepConfig, plan: Plan, problems: list[Problem]) -> Objective | None:
    try:
        objective = find_objective(sweep, plan.jobs)
    except (LookupError, ValueError) as error:
        problems.append(Problem(str(error.args[0]), sweep.metric.where, *error.args[1:]))
        return None
    problems.extend(doubt_metric(objective, plan.jobs))
    problems.extend(check_early_termination(sweep, objective, plan.jobs))
    return objective
