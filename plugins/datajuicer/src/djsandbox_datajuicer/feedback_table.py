"""What the chosen bounds do, for people: on the samples they were chosen by, and on samples they were not chosen by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from djsandbox_datajuicer.bound_search import BoundSearch, Choice, HeldOut, standard_error
from djsandbox_datajuicer.bounds import default_of
from djsandbox_datajuicer.refinable import Refinable
from djsandbox_datajuicer.refined_recipe import shown

_ERRORS_FOR_SURE = 3.0
"""More than the usual two: the folds share samples, so the estimate varies by about half more than its standard error says."""


@dataclass(frozen=True)
class FeedbackTable:
    """A table for `watch_table`; warnings are notes that belong in the log, too."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[Any]]
    notes: list[str]
    warnings: list[str]


def table(
    filters: Sequence[Refinable], search: BoundSearch, choices: Sequence[Choice], scores: Sequence[float], config: Any
) -> FeedbackTable:
    """A row for each bound with what its filter does alone, and one for all filters together."""
    values = np.array(scores)
    given = [item.dimension.given for item in filters]
    held_out = search.held_out()
    rows = [row for at, item in enumerate(filters) for row in _bound_rows(item, choices[at], values, held_out, at)]
    before, after = search.kept(given), search.kept(choices)
    total = held_out.kept if held_out else None
    rows.append(["all filters", "", "", "", "", "", *_effect(before, after, values, total)])
    changed = list(choices) != given
    notes: list[str] = []
    warnings: list[str] = []
    if not changed:
        notes.append("no bounds within min_keep_ratio have a better mean score: the recipe stays as it is")
    else:
        told = _held_out_note(values, held_out, before, config.direction == "maximize", after)
        (notes if told[1] else warnings).append(told[0])
    if before.mean() < config.min_keep_ratio:
        notes.append(
            f"the bounds before kept {before.mean():.1%} of the samples, less than min_keep_ratio ({config.min_keep_ratio:.1%})"
        )
    notes.append(
        "mean scores of the samples that a filter keeps; 'held out': of samples that had no part in choosing the bounds"
    )
    name = config.score_key.rsplit(".", 1)[-1]
    columns = ("operator", "argument", "statistic", "before", "after", "tried", "kept before", "kept after",
               f"{name} before", f"{name} after", "held out")  # fmt: skip
    title = f"Bounds by model feedback ({config.direction} {config.score_key} on {len(values)} samples)"
    return FeedbackTable(title, columns, rows, notes, warnings)


def _bound_rows(item: Refinable, choice: Choice, scores: np.ndarray, held_out: HeldOut | None, at: int) -> Iterator[list[Any]]:
    dimension = item.dimension
    effect = _effect(
        dimension.kept(dimension.given), dimension.kept(choice), scores, held_out.kept_by[at] if held_out else None
    )
    for bound in item.bounds:
        was_there = bound.argument in item.arguments
        default = default_of(item.op, bound.argument)
        before = shown(item.arguments.get(bound.argument, default), was_there)
        candidate = item.chosen(bound, choice)
        after = before if candidate.is_given else candidate.written
        options = item.options[0 if bound.side == "min" else 1]
        yield [item.op, bound.argument, bound.statistic, before, shown(default, False) if after is None else after,
               len(options), *effect]  # fmt: skip


def _effect(before: np.ndarray, after: np.ndarray, scores: np.ndarray, held_out: np.ndarray | None) -> list[str]:
    return [f"{before.mean():.1%}", f"{after.mean():.1%}", _mean(scores, before), _mean(scores, after), _mean(scores, held_out)]


def _mean(scores: np.ndarray, kept: np.ndarray | None) -> str:
    return "-" if kept is None or not kept.any() else f"{scores[kept].mean():.4g}"


def _held_out_note(
    scores: np.ndarray, held_out: HeldOut | None, before: np.ndarray, more_is_better: bool, after: np.ndarray
) -> tuple[str, bool]:
    """What the bounds gain on samples that did not choose them, and whether that is more than chance."""
    if held_out is None:
        return "too few samples to tell whether the bounds are good for other samples, too", False
    if not before.any() or not held_out.kept.any():
        return "the gain on held-out samples cannot be told: one of the recipes keeps none of them", False
    sign = 1 if more_is_better else -1
    inside = sign * (scores[after].mean() - scores[before].mean())
    gain = sign * (scores[held_out.kept].mean() - scores[before].mean())
    error = standard_error(scores, held_out.kept, before)
    text = f"improvement: {inside:.4g} on the samples that chose the bounds, {gain:.4g} +- {error:.2g} on held-out samples"
    if gain > _ERRORS_FOR_SURE * error:
        return f"{text} (standard error)", True
    return f"{text} (standard error): that may be chance, and the bounds no better than those before", False
