"""The same from Python: `validate`, `plan` and `run`, on a config or the path of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.config.load import load_config
from djsandbox.config.model import SandboxConfig
from djsandbox.engine.forecast import Forecast, forecast
from djsandbox.engine.plan import make_plan
from djsandbox.engine.planned import Plan
from djsandbox.engine.preconditions import unmet
from djsandbox.engine.run import RunResult, run_plan
from djsandbox.engine.sweeps.forecast import ended_trials, forecast_sweep
from djsandbox.engine.sweeps.planning import plan_sweep
from djsandbox.engine.sweeps.result import SweepResult
from djsandbox.engine.sweeps.run import run_sweep
from djsandbox.engine.trackers import chosen_trackers
from djsandbox.errors import ConfigError, Problem
from djsandbox.plugins.manager import SandboxPluginManager


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan together with what a run would do with each job now."""

    plan: Plan
    jobs: tuple[Forecast, ...]
    ended: int = 0
    """Trials that a sweep to go on with has behind it."""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but probably not meant."""
        return self.plan.warnings


def validate(config: SandboxConfig | str | Path, **options: Any) -> tuple[Problem, ...]:
    """Check everything that can be checked before a run; returns the warnings.

    `options` are global keys that win over the config's (`work_dir`, `resume`, ...) and `settings`, a list of overrides as
    `--set` takes them. Raises ConfigError with every error found.
    """
    made = planned(config, **options)
    if made.sweep is not None:
        ended_trials(made)
    return made.warnings


def plan(config: SandboxConfig | str | Path, **options: Any) -> PlannedRun:
    """What `run` would do with each job now, and why; writes nothing. Options and errors are those of `validate`."""
    return foretell(planned(config, **options))


def foretell(made: Plan) -> PlannedRun:
    """What a run of a plan would do with each job now."""
    if made.sweep is None:
        return PlannedRun(made, tuple(forecast(made, SandboxPluginManager())))
    return PlannedRun(made, tuple(forecast_sweep(made)), ended_trials(made))


def run(
    config: SandboxConfig | str | Path, *, plugins: Mapping[str, object] | None = None, **options: Any
) -> RunResult | SweepResult:
    """Run all jobs, or, where the config has `hpo_config`, the trials of its sweep.

    `plugins` are further pluggy modules or objects, by name.

    Options are those of `validate`. Raises ConfigError before the first job, JobFailed when one fails, SandboxError when no
    trial succeeds. Trials run in processes of their own, where `plugins` are not known; in the sweep's own run they are.
    """
    manager = SandboxPluginManager()
    for name, plugin in (plugins or {}).items():
        manager.register(plugin, name)
    made = planned(config, **options)
    manager.notify("djsandbox_config_loaded", config=made.config)
    return run_sweep(made, manager) if made.sweep else run_plan(made, manager)


def planned(config: SandboxConfig | str | Path, **options: Any) -> Plan:
    """The plan of `config`, a loaded one or the path of one; options and errors are those of `validate`."""
    if isinstance(config, SandboxConfig):
        if options:
            raise TypeError("options are for a config that is given as a path; this one is loaded already")
        return _checked(config, ())
    settings = options.pop("settings", ())
    try:
        return _checked(load_config(config, settings, options), ())
    except ConfigError as error:
        if error.partial is None:
            raise
        return _checked(error.partial, error.problems)


def _checked(config: SandboxConfig, problems: Sequence[Problem]) -> Plan:
    """The plan of `config`; ConfigError where there are `problems` already, or it or anything it names is wrong."""
    found = [*problems, *unmet(config)]
    of_trackers: list[Problem] = []
    chosen_trackers(config, of_trackers)
    doubts = [one for one in of_trackers if one.severity == "warning"]
    found.extend(one for one in of_trackers if one.severity == "error")
    try:
        made = make_plan(config) if config.hpo_config is None else plan_sweep(config)
    except ConfigError as error:
        raise ConfigError.of([*found, *error.problems]) from error
    if found:
        raise ConfigError.of(found)
    return replace(made, warnings=(*made.warnings, *doubts))
