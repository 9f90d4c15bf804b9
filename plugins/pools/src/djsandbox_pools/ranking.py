"""The order of data pools by what was measured with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Annotated, Any

from djsandbox import BaseProbe, ComponentConfig, ComponentError, Finding
from pydantic import BeforeValidator, Field, PositiveInt

from djsandbox_pools.dotted import lookup, number_keys
from djsandbox_pools.manipulator import Pools, as_list, known_paths

Keys = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Labels = Annotated[tuple[str, ...], BeforeValidator(as_list)]
_LABEL_ALL = "give one label for each pool, in the same order, or none at all"


class DataPoolRanking(BaseProbe):
    """Rank data pools by the metrics measured with them, best first."""

    deterministic = True

    class Config(ComponentConfig):
        """The pools, one metric (a number, or a mapping that `ranking_keys` look into) for each, and which are best."""

        dataset_path: Pools
        """The data pools to rank, one or a list."""
        metrics: Annotated[list[Any], BeforeValidator(as_list), Field(min_length=1)]
        """A number or mapping for each pool, in the same order; or one mapping from path to that."""
        ranking_keys: Keys = ()
        """Where in a mapping the numbers stand: dotted keys, the first decides, the next break ties. None for numbers."""
        descending: bool = True
        """Whether high is good: true for an accuracy, false for a loss."""
        top_n: PositiveInt | None = None
        """How many of the best to return; by default all."""
        labels: Labels = ()
        """What the table calls the pools, in the same order; by default their paths."""

    def check(self) -> Iterable[Finding]:
        """Find metrics that do not match the pools one to one."""
        paths, metrics = known_paths(self.config, "dataset_path"), getattr(self.config, "metrics", None)
        if paths and isinstance(metrics, list) and (problem := _misaligned(paths, metrics)):
            yield Finding(("metrics",), problem, "give one metric for each pool, in the same order")
        if paths and (problem := _mislabelled(paths, self.config.labels)):
            yield Finding(("labels",), problem, _LABEL_ALL)

    def run(self) -> list[str]:
        """Return the paths of the pools, best first, and show the ranking as a table."""
        paths: list[str] = self.config.dataset_path
        if problem := _misaligned(paths, self.config.metrics):
            raise ComponentError(problem, fix="give one metric for each pool, in the same order")
        if problem := _mislabelled(paths, self.config.labels):
            raise ComponentError(problem, fix=_LABEL_ALL)
        metrics = _by_path(paths, self.config.metrics) or self.config.metrics
        values = [self._values(path, metric) for path, metric in zip(paths, metrics, strict=True)]
        labels = self.config.labels or paths
        ranked = sorted(zip(paths, labels, values, strict=True), key=lambda pool: self._sort_key(pool[2]))
        top = ranked[: self.config.top_n]
        rows = [[rank, label, *numbers] for rank, (_, label, numbers) in enumerate(top, start=1)]
        notes = [f"the best {len(top)} of {len(ranked)} pools"] if len(top) < len(ranked) else []
        columns = ["rank", "data pool", *(self.config.ranking_keys or ["metric"])]
        direction = "descending" if self.config.descending else "ascending"
        self.watcher.watch_table(f"Data pools, metrics {direction}", columns, rows, notes)
        return [path for path, _, _ in top]

    def _values(self, path: str, metric: Any) -> list[float]:
        keys: tuple[str, ...] = self.config.ranking_keys
        if not keys:
            if isinstance(metric, Mapping):
                raise ComponentError(
                    f"the metric of {path} has several values and ranking_keys is not set",
                    fix=f"name some of: {_named(metric)}",
                )
            return [self._number(path, "the metric", metric)]
        if not isinstance(metric, Mapping):
            raise ComponentError(
                f"the metric of {path} is {metric!r}, in which ranking_keys find nothing",
                fix="leave ranking_keys out for numbers",
            )
        return [self._number(path, f"'{key}'", self._found(path, key, metric)) for key in keys]

    def _found(self, path: str, key: str, metric: Mapping[str, Any]) -> Any:
        try:
            return lookup(metric, key)
        except KeyError:
            raise ComponentError(f"the metric of {path} has no '{key}'", fix=f"ranking_keys can be: {_named(metric)}") from None

    def _number(self, path: str, what: str, value: Any) -> float:
        if not isinstance(value, Real):
            raise ComponentError(f"{what} of {path} is {value!r}, no number", fix="see why the job that measured it gave none")
        if math.isnan(value):
            self.logger.warning("%s of %s is not a number (NaN); it ranks last", what, path)
        return value  # type: ignore[return-value]

    def _sort_key(self, values: list[float]) -> list[tuple[bool, float]]:
        sign = -1 if self.config.descending else 1
        return [(True, 0.0) if math.isnan(value) else (False, sign * value) for value in values]


def _misaligned(paths: list[str], metrics: list[Any]) -> str | None:
    if _by_path(paths, metrics) is not None or len(paths) == len(metrics):
        return None
    return f"{len(paths)} data pools but {len(metrics)} metrics"


def _mislabelled(paths: list[str], labels: tuple[str, ...]) -> str | None:
    return f"{len(paths)} data pools but {len(labels)} labels" if labels and len(labels) != len(paths) else None


def _by_path(paths: list[str], metrics: list[Any]) -> list[Any] | None:
    """The metrics in the order of `paths` where they are one mapping from path to metric."""
    [first, *more] = metrics
    return [first[path] for path in paths] if not more and isinstance(first, Mapping) and set(paths) <= set(first) else None


def _named(metric: Mapping[str, Any]) -> str:
    return ", ".join(number_keys(metric)) or "nothing, for it holds no number"
