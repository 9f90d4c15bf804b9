"""djsandbox: a feedback-driven laboratory for data and models together.

The public names are re-exported lazily (PEP 562): importing the package imports nothing else. Type checkers read the same
names in `__init__.pyi`.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "djsandbox.components.base": ("Component", "Finding"),
    "djsandbox.components.command_evaluator": ("CommandEvaluator",),
    "djsandbox.components.command_executor": ("CommandConfig", "CommandExecutor"),
    "djsandbox.components.config": ("ComponentConfig",),
    "djsandbox.components.context": ("JobContext",),
    "djsandbox.components.deferred": ("DECIDED_AT_RUN", "is_decided_at_run"),
    "djsandbox.components.environment": ("EnvConfig", "Environment"),
    "djsandbox.components.known_errors": ("KnownError",),
    "djsandbox.components.launcher": ("Attempt", "AttemptStopped", "Launcher"),
    "djsandbox.components.model_executor": ("BaseModelExecutor",),
    "djsandbox.components.path_names": ("unique_names",),
    "djsandbox.components.paths": (
        "AppendPath",
        "InputPath",
        "InputPaths",
        "Loc",
        "OutputPath",
        "OutputPaths",
        "ReferencePath",
    ),
    "djsandbox.components.roles": (
        "BaseDataExecutor",
        "BaseDataPoolManipulator",
        "BaseEvaluator",
        "BaseProbe",
        "BaseRecipeRefiner",
    ),
    "djsandbox.components.sweeper": ("Sweeper", "Trial", "TrialResult"),
    "djsandbox.components.task": ("Task",),
    "djsandbox.config.load": ("load_config",),
    "djsandbox.config.sweep": ("Parameter", "SweepConfig"),
    "djsandbox.engine.api": ("plan", "run", "validate"),
    "djsandbox.engine.launching.devices": ("visible_gpus",),
    "djsandbox.envs.base": ("Env",),
    "djsandbox.envs.conda": ("CondaEnv",),
    "djsandbox.envs.recipe": ("EnvRecipe", "InstallStep", "Repository", "SystemTool"),
    "djsandbox.envs.router": ("ENV_ROUTER",),
    "djsandbox.envs.virtual": ("VirtualEnv",),
    "djsandbox.errors": ("ComponentError", "ConfigError", "JobFailed", "PluginError", "SandboxError"),
    "djsandbox.jobs.base": ("EarlierJob", "JobHook", "JobInputs", "Use"),
    "djsandbox.plugins.functions": ("MessageFunction", "NamedFunction"),
    "djsandbox.plugins.events": ("RunEvent",),
    "djsandbox.plugins.hookspecs": ("hookimpl",),
    "djsandbox.process.capture": ("Capture", "captured"),
    "djsandbox.watch.tracker": ("TrackedMetric", "TrackedTable", "Tracker"),
    "djsandbox.watch.watcher": ("SandboxWatcher",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the names come from the table above
    *_HOME_OF,
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds that only who asks should pay

        return version("djsandbox")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
