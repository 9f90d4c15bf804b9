"""The entry-point groups: one for each factory of components, and the open ones beside them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

GROUP_PREFIX = "djsandbox."

Role = Literal["executor", "evaluator", "manipulator"]
Block = Literal["dj_configs", "extra_configs"]


@dataclass(frozen=True, slots=True)
class Factory:
    """One kind of component.

    `group` is the short name of its entry-point group, `guide_name` what the user guide calls it, `base` the contract its
    components implement (`module:Class`), `feeds` the block of a job from which their `Config` is made.
    """

    group: str
    guide_name: str
    role: Role
    base: str
    feeds: Block

    def base_class(self) -> type:
        """The class that `base` names; imports its module."""
        module, _, name = self.base.partition(":")
        found: type = getattr(importlib.import_module(module), name)
        return found


_ROLES = "djsandbox.components.roles:"
_MODEL_EXECUTOR = "djsandbox.components.model_executor:BaseModelExecutor"

_ALL = (
    Factory("data_executors", "DataExecutorFactory", "executor", f"{_ROLES}BaseDataExecutor", "dj_configs"),
    Factory("data_analyzers", "DataAnalyzerFactory", "executor", f"{_ROLES}BaseDataExecutor", "dj_configs"),
    Factory("general_data_executors", "GeneralDataExecutorFactory", "executor", f"{_ROLES}BaseDataExecutor", "extra_configs"),
    Factory("model_train_executors", "ModelTrainExecutorFactory", "executor", _MODEL_EXECUTOR, "extra_configs"),
    Factory("model_infer_executors", "ModelInferExecutorFactory", "executor", _MODEL_EXECUTOR, "extra_configs"),
    Factory("data_evaluators", "DataEvaluatorFactory", "evaluator", f"{_ROLES}BaseEvaluator", "extra_configs"),
    Factory("model_evaluators", "ModelEvaluatorFactory", "evaluator", f"{_ROLES}BaseEvaluator", "extra_configs"),
    Factory("model_infer_evaluators", "ModelInferEvaluatorFactory", "evaluator", _MODEL_EXECUTOR, "extra_configs"),
    Factory("general_probes", "GeneralProbeFactory", "evaluator", f"{_ROLES}BaseProbe", "extra_configs"),
    Factory(
        "data_pool_manipulators",
        "DataPoolManipulatorFactory",
        "manipulator",
        f"{_ROLES}BaseDataPoolManipulator",
        "extra_configs",
    ),
)

FACTORIES: Mapping[str, Factory] = MappingProxyType({factory.group: factory for factory in _ALL})
"""The ten factories, by short group name."""

OPEN_GROUPS: tuple[str, ...] = (
    "recipe_refiners",
    "job_hooks",
    "env_managers",
    "env_recipes",
    "launchers",
    "sweepers",
    "trackers",
    "message_functions",
    "known_errors",
    "commands",
    "plugins",
)
"""Groups that are no factories but just as open to third parties, by short name."""

_NOUNS = {
    "recipe_refiners": "recipe refiner",
    "job_hooks": "job hook",
    "env_managers": "environment manager",
    "env_recipes": "environment recipe",
    "launchers": "launcher",
    "sweepers": "sweeper",
    "trackers": "tracker",
    "message_functions": "message function",
    "known_errors": "known errors",
    "commands": "command",
    "plugins": "plugin",
}


def full_group(group: str) -> str:
    """The entry-point group that `group` stands for: a name with a dot is complete, another is one of ours."""
    return group if "." in group else GROUP_PREFIX + group


def short_group(group: str) -> str:
    """`group` without our prefix; a third party's own group stays as it is."""
    return group.removeprefix(GROUP_PREFIX)


def named(group: str, name: str) -> str:
    """How messages call the entry point `name` of `group`: "type 'x' of data_executors", "job hook 'x'"."""
    short = short_group(group)
    noun = _NOUNS.get(short)
    return f"{noun} '{name}'" if noun else f"type '{name}' of {short}"
