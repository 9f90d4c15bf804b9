"""Refines a recipe by what a model says: each filter gets the bounds whose kept samples score best."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from djsandbox import BaseRecipeRefiner, ComponentConfig, Finding, InputPath, OutputPath
from pydantic import Field

from djsandbox_datajuicer.feedback import ScoredSamples, read_scored
from djsandbox_datajuicer.refinable import Refinable, refinable_filters
from djsandbox_datajuicer.refined_recipe import check_suffix, write_recipe

if TYPE_CHECKING:
    from djsandbox_datajuicer.bound_search import BoundSearch, Choice


class ModelFeedbackRefiner(BaseRecipeRefiner):
    """Sets the bounds of a recipe's filters to those whose kept samples a model scores best."""

    class Config(ComponentConfig):
        """The samples with their scores, what a good score is, and how much data has to be left."""

        path_model_feedback_recipe: OutputPath
        """File of the refined recipe: `.yaml`, `.yml` or `.json`."""
        feedback_path: InputPath
        """Samples with a model's score each (JSON lines), as ProbeViaModelInferHook records them."""
        score_key: str
        """Key of the score, dotted if nested: `model_feedback.loss`."""
        direction: Literal["minimize", "maximize"]
        """Whether a good score is low (a loss) or high (a confidence)."""
        stats_path: InputPath | None = None
        """Rows of an analysis, for samples without statistics; told apart by `join_key`."""
        join_key: str = Field(default="text", min_length=1)
        """Key by which samples and rows of `stats_path` belong together, dotted if nested."""
        min_keep_ratio: float = Field(default=0.5, gt=0, le=1)
        """Share of the scored samples that all filters together must keep."""
        max_candidates: int = Field(default=50, ge=2)
        """Quantiles of a statistic that are tried as a bound."""

    deterministic = True
    libraries = ("numpy",)

    def check(self) -> Iterable[Finding]:
        """The suffix says whether YAML or JSON is written."""
        yield from check_suffix("path_model_feedback_recipe", self.config.path_model_feedback_recipe)

    def planned_outputs(self) -> str:
        """The path of the refined recipe."""
        return str(self.config.path_model_feedback_recipe)

    def run(self, recipe: Mapping[str, Any], feedback: Any) -> str:
        """Write `recipe` with new bounds, or as it is where none are better; `feedback` is not looked at.

        Filters whose statistics the samples lack stay as they are, with a warning. Raises ComponentError for samples that
        cannot be used.
        """
        from djsandbox_datajuicer.bound_search import BoundSearch  # noqa: PLC0415 - numpy

        refined = copy.deepcopy(dict(recipe))
        samples = self._samples()
        filters = list(refinable_filters(refined, samples.statistics, self.config.max_candidates, self.logger))
        if filters:
            search = BoundSearch([item.dimension for item in filters], self._gains(samples), self.config.min_keep_ratio)
            choices = search.best()
            if choices is None:
                self._warn_of_floor(filters, search)
            else:
                self._show(filters, search, choices, samples)
                for item, choice in zip(filters, choices, strict=True):
                    item.put(refined["process"], choice)
        else:
            self.logger.warning("no filter of the recipe has bounds that these samples say anything about: it stays as it is")
        write_recipe(self.config.path_model_feedback_recipe, refined)
        return str(self.config.path_model_feedback_recipe)

    def _samples(self) -> ScoredSamples:
        config = self.config
        samples = read_scored(config.feedback_path, config.score_key, config.stats_path, config.join_key)
        for count, lacking in ((samples.without_score, config.score_key), (samples.without_statistics, "statistics")):
            if count:
                self.logger.warning("%d samples are left out: they have no %s", count, lacking)
        return samples

    def _gains(self, samples: ScoredSamples) -> Any:
        import numpy as np  # noqa: PLC0415 - paid by the job that runs

        scores = np.array(samples.scores)
        return scores if self.config.direction == "maximize" else -scores

    def _show(
        self, filters: Sequence[Refinable], search: BoundSearch, choices: Sequence[Choice], samples: ScoredSamples
    ) -> None:
        from djsandbox_datajuicer.feedback_table import table  # noqa: PLC0415 - numpy

        shown = table(filters, search, choices, samples.scores, self.config)
        for line in shown.warnings:
            self.logger.warning(line)
        self.watcher.watch_table(shown.title, shown.columns, shown.rows, [*shown.notes, *shown.warnings])

    def _warn_of_floor(self, filters: Sequence[Refinable], search: BoundSearch) -> None:
        widest = search.kept([item.dimension.open for item in filters]).mean()
        self.logger.warning(
            "the recipe stays as it is: even open bounds keep only %.1f %% of the samples, less than min_keep_ratio",
            100 * widest,
        )
