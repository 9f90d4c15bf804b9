"""Refines a recipe by what an analysis saw: each bound becomes the mean of its statistic -/+ k standard deviations."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from djsandbox import BaseRecipeRefiner, ComponentConfig, ComponentError, Finding, OutputPath
from pydantic import Field

from djsandbox_datajuicer.bounds import Bound, Measures, bounds_of, default_of, is_numeric, k_sigma
from djsandbox_datajuicer.files import write_whole

_SUFFIXES = (".yaml", ".yml", ".json")
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
        path = self.config.path_k_sigma_recipe
        if Path(path).suffix.lower() not in _SUFFIXES:
            yield Finding(("path_k_sigma_recipe",), f"'{path}' is neither YAML nor JSON", f"end it in {', '.join(_SUFFIXES)}")

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
        self._write(refined)
        self.watcher.watch_table(f"Bounds by k-sigma (k = {self.config.k:g})", _COLUMNS, rows)
        return str(self.config.path_k_sigma_recipe)

    def _refine(self, entry: Any, seen: Mapping[str, Measures], rows: list[tuple[str, str, str, Any, Any]]) -> Any:
        """One entry of `process` with its new bounds; each is noted in `rows`."""
        if not isinstance(entry, Mapping) or len(entry) != 1:
            return entry
        ((op, given),) = entry.items()
        arguments = dict(given or {})
        for bound in bounds_of(op, arguments):
            reason = _why_not(op, bound, arguments, seen)
            if reason:
                self.logger.warning("%s.%s stays as it is: %s", op, bound.argument, reason)
                continue
            before = arguments.get(bound.argument, default_of(op, bound.argument))
            after = k_sigma(op, bound, seen[bound.statistic], self.config.k)
            arguments[bound.argument] = after
            rows.append((op, bound.argument, bound.statistic, _shown(before, bound.argument in (given or {})), after))
        return {op: arguments or given}

    def _write(self, recipe: Mapping[str, Any]) -> None:
        path = Path(self.config.path_k_sigma_recipe)
        if path.suffix.lower() == ".json":
            write_whole(path, json.dumps(recipe, ensure_ascii=False, indent=2) + "\n")
        else:
            write_whole(path, yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True))


def _shown(before: Any, given: bool) -> Any:
    """A bound as people read it: Data-Juicer's defaults use the largest numbers there are for none."""
    if before is None or (not given and abs(before) >= sys.maxsize):
        return "none"
    return before if given else f"{before} (default)"


def _why_not(op: str, bound: Bound, arguments: Mapping[str, Any], seen: Mapping[str, Measures]) -> str | None:
    if not is_numeric(op, bound.argument):
        return "it is not a plain number"
    if arguments.get("reversed_range"):
        return "reversed_range keeps what lies outside of the bounds"
    if bound.statistic not in seen:
        return f"the analysis saw no '{bound.statistic}'"
    return None


def _measured(feedback: Any) -> dict[str, Measures]:
    """The statistics in `feedback` that have a mean and a spread."""
    entries = feedback.items() if isinstance(feedback, Mapping) else ()
    return {
        str(name): measures for name, measures in entries if isinstance(measures, Mapping) and {"mean", "std"} <= set(measures)
    }
