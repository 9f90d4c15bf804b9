"""The same from Python: `validate`, `plan` and `run`, on a config or the path of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.config.load import load_config
from djsandbox.config.model import SandboxConfig
from djsandbox.engine.forecast import Forecast, forecast
from djsandbox.engine.plan import make_plan
from djsandbox.engine.planned import Plan
from djsandbox.engine.preconditions import unmet
from djsandbox.engine.run import RunResult, run_plan
from djsandbox.errors import ConfigError, Problem
from djsandbox.plugins.manager import SandboxPluginManager


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan together with what a run would do with each job now."""

    plan: Plan
    jobs: tuple[Forecast, ...]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but probably not meant."""
        return self.plan.warnings


def validate(config: SandboxConfig | str | Path, **options: Any) -> tuple[Problem, ...]:
    """Check everything that can be checked before a run; returns the warnings.

    `options` are global keys that win over the config's (`work_dir`, `resume`, ...) and `settings`, a list of overrides as
    `--set` takes them. Raises ConfigError with every error found.
    """
    return checked_plan(_loaded(config, options)).warnings


def plan(config: SandboxConfig | str | Path, **options: Any) -> PlannedRun:
    """What `run` would do with each job now, and why; writes nothing. Options and errors are those of `validate`."""
    made = checked_plan(_loaded(config, options))
    return PlannedRun(made, tuple(forecast(made, SandboxPluginManager())))


def run(config: SandboxConfig | str | Path, *, plugins: Mapping[str, object] | None = None, **options: Any) -> RunResult:
    """Run all jobs; `plugins` are further pluggy modules or objects, by name.

    Options are those of `validate`. Raises ConfigError before the first job, JobFailed when one fails.
    """
    manager = SandboxPluginManager()
    for name, plugin in (plugins or {}).items():
        manager.register(plugin, name)
    loaded = _loaded(config, options)
    manager.notify("djsandbox_config_loaded", config=loaded)
    return run_plan(checked_plan(loaded), manager)


def checked_plan(config: SandboxConfig) -> Plan:
    """The plan of `config`; ConfigError where it, or anything it names, is wrong."""
    problems: Sequence[Problem] = tuple(unmet(config))
    try:
        made = make_plan(config)
    except ConfigError as error:
        raise ConfigError.of([*problems, *error.problems]) from error
    if problems:
        raise ConfigError.of(problems)
    return made


def _loaded(config: SandboxConfig | str | Path, options: dict[str, Any]) -> SandboxConfig:
    if isinstance(config, SandboxConfig):
        if options:
            raise TypeError("options are for a config that is given as a path; this one is loaded already")
        return config
    settings = options.pop("settings", ())
    return load_config(config, settings, options)
