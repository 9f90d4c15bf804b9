"""djsandbox: a feedback-driven laboratory for data and models together.

The public names are re-exported lazily (PEP 562): importing the package imports nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from djsandbox.components.base import DECIDED_AT_RUN, Component, Finding
    from djsandbox.components.config import ComponentConfig
    from djsandbox.components.context import JobContext
    from djsandbox.components.model_executor import BaseModelExecutor
    from djsandbox.components.paths import InputPath, InputPaths, OutputPath, OutputPaths, ReferencePath
    from djsandbox.components.roles import (
        BaseDataExecutor,
        BaseDataPoolManipulator,
        BaseEvaluator,
        BaseProbe,
        BaseRecipeRefiner,
    )
    from djsandbox.errors import ComponentError, ConfigError, JobFailed, PluginError, SandboxError

_HOMES = {
    "djsandbox.components.base": ("DECIDED_AT_RUN", "Component", "Finding"),
    "djsandbox.components.config": ("ComponentConfig",),
    "djsandbox.components.context": ("JobContext",),
    "djsandbox.components.model_executor": ("BaseModelExecutor",),
    "djsandbox.components.paths": ("InputPath", "InputPaths", "OutputPath", "OutputPaths", "ReferencePath"),
    "djsandbox.components.roles": (
        "BaseDataExecutor",
        "BaseDataPoolManipulator",
        "BaseEvaluator",
        "BaseProbe",
        "BaseRecipeRefiner",
    ),
    "djsandbox.errors": ("ComponentError", "ConfigError", "JobFailed", "PluginError", "SandboxError"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the names come from the table above
    *_HOME_OF,
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
