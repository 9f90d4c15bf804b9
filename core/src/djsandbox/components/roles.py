"""The three roles of the guide (executor, evaluator, manipulator) and the contracts that specialise them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from djsandbox.components.base import Component


class BaseDataExecutor(Component, ABC):
    """Executor that makes data from data: processing, analysis, conversion."""

    @abstractmethod
    def run(self) -> Any:
        """Do the work; return the path (or paths) of what was written."""

    def sample_data(self, sample_ratio: float, sample_algo: str) -> Sequence[Mapping[str, Any]]:
        """Rows sampled from the executor's dataset, for a probe by model inference.

        `sample_ratio` is in (0, 1]; `sample_algo` one of `uniform`, `frequency_specified_field_selector`,
        `topk_specified_field_selector`. Raises TypeError where an executor has no dataset to sample.
        """
        raise TypeError(f"{type(self).__name__} cannot sample its dataset")


class BaseEvaluator(Component, ABC):
    """Evaluator of data or of a model."""

    @abstractmethod
    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> Any:
        """Evaluate; `eval_type` is "data" or "model". Returns a number, a mapping, or a tuple of several results."""


class BaseProbe(Component, ABC):
    """Evaluator that looks at data in general: ranking, comparing."""

    @abstractmethod
    def run(self) -> Any:
        """Probe; return what was seen."""


class BaseDataPoolManipulator(Component, ABC):
    """Manipulator of data pools: JSON-lines files that are split, combined, sampled."""

    @abstractmethod
    def run(self) -> Any:
        """Write the new pools; return their paths in order."""


class BaseRecipeRefiner(Component, ABC):
    """Changes the arguments of a data recipe in the light of what a probe saw."""

    @abstractmethod
    def run(self, recipe: Mapping[str, Any], feedback: Any) -> Any:
        """Write the refined recipe; return its path.

        `recipe` is the job's `dj_configs`; `feedback` is what the watcher holds under the job's meta_name (for an analysis:
        statistic -> {"mean", "std", "min", "max", ...} -> number).
        """
