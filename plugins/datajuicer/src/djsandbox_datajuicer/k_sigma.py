"""Refines a recipe by what an analysis saw: each bound becomes the mean of its statistic -/+ k standard deviations."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from djsandbox import BaseRecipeRefiner, ComponentConfig, ComponentError, Finding, OutputPath
from pydantic import Field

from djsandbox_datajuicer.bounds import Measures, bounds_of, default_of, k_sigma
from djsandbox_datajuicer.refined_recipe import check_suffix, shown, why_not, write_recipe

_COLUMNS = ("operator", "argument", "statistic", "before", "after")


class KSigmaRefiner(BaseRecipeRefiner):
    """Sets the bounds of a recipe's filters to mean -/+ k standard deviations of what an analysis saw."""

    class Config(ComponentConfig):
        """Where the refined recipe goes, and how many standard deviations it allows."""

        path_k_sigma_recipe: OutputPath
        """File of the refined recipe: `.yaml`, `.yml` or `.json`."""
        k: float = Field(default=3.0, gt=0)
        """How many standard deviations the bounds lie from the mean; smaller keeps less."""

    deterministic = True

    def check(self) -> Iterable[Finding]:
        """The suffix says whether YAML or JSON is written."""
        yield from check_suffix("path_k_sigma_recipe", self.config.path_k_sigma_recipe)

    def planned_outputs(self) -> str:
        """The path of the refined recipe."""
        return str(self.config.path_k_sigma_recipe)

    def run(self, recipe: Mapping[str, Any], feedback: Any) -> str:
        """Write `recipe` with new bounds; `feedback` maps a statistic to its `mean`, `std` and, where known, `min` and `max`.

        Operators whose statistics nobody has seen stay as they are, with a warning. Raises ComponentError without feedback.
        """
        seen = _measured(feedback)
        if not seen:
            raise ComponentError(
                f"no analysis ran under the meta_name '{self.context.meta_name}', so there is nothing to refine by",
                fix="give the refining job the meta_name of the job that analyses the data",
            )
        refined = copy.deepcopy(dict(recipe))
        rows: list[tuple[str, str, str, Any, Any]] = []
        refined["process"] = [self._refine(entry, seen, rows) for entry in refined.get("process") or []]
        write_recipe(self.config.path_k_sigma_recipe, refined)
        self.watcher.watch_table(f"Bounds by k-sigma (k = {self.config.k:g})", _COLUMNS, rows)
        return str(self.config.path_k_sigma_recipe)

    def _refine(self, entry: Any, seen: Mapping[str, Measures], rows: list[tuple[str, str, str, Any, Any]]) -> Any:
        """One entry of `process` with its new bounds; each is noted in `rows`."""
        if not isinstance(entry, Mapping) or len(entry) != 1:
            return entry
        ((op, given),) = entry.items()
        arguments = dict(given or {})
        for bound in bounds_of(op, arguments):
            reason = why_not(op, bound, arguments)
            if reason is None and bound.statistic not in seen:
                reason = f"the analysis saw no '{bound.statistic}'"
            if reason:
                self.logger.warning("%s.%s stays as it is: %s", op, bound.argument, reason)
                continue
            before = arguments.get(bound.argument, default_of(op, bound.argument))
            after = k_sigma(op, bound, seen[bound.statistic], self.config.k)
            arguments[bound.argument] = after
            rows.append((op, bound.argument, bound.statistic, shown(before, bound.argument in (given or {})), after))
        return {op: arguments or given}


def _measured(feedback: Any) -> dict[str, Measures]:
    """The statistics in `feedback` that have a mean and a spread."""
    entries = feedback.items() if isinstance(feedback, Mapping) else ()
    return {
        str(name): measures for name, measures in entries if isinstance(measures, Mapping) and {"mean", "std"} <= set(measures)
    }
