"""Searches the bounds of filters whose kept samples score best, and estimates what they are worth on other samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from djsandbox_datajuicer.filter_values import FilterValues

Choice = tuple[int, int]
"""Indices into `lows` and `highs` of a Dimension."""

_FOLDS = 5
_MIN_SAMPLES = 2 * _FOLDS
_SEED = 0


@dataclass
class Dimension:
    """One statistic of one filter, with the bounds to choose from, ascending.

    `given` is what the recipe has, `open` keeps every sample that any bounds keep.
    """

    values: FilterValues
    lows: np.ndarray
    highs: np.ndarray
    given: Choice
    open: Choice
    cells: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.cells = self.values.cells(self.lows, self.highs)

    def kept(self, choice: Choice) -> np.ndarray:
        """Whether this filter alone keeps each sample."""
        return self.values.kept(self.lows[choice[0]], self.highs[choice[1]])

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """Sum of the weights of the samples kept by each pair of bounds."""
        return self.values.sums(self.cells, (len(self.lows), len(self.highs)), weights)


@dataclass(frozen=True)
class HeldOut:
    """What the bounds keep of samples that they were not chosen by; masks over all samples."""

    kept: np.ndarray
    kept_by: list[np.ndarray]
    """By each filter alone."""


class BoundSearch:
    """Bounds for several filters together, so that what passes all of them has the greatest mean gain.

    `gains` are scores of which more is better; `min_keep_ratio` is the share of the samples that must pass.
    """

    def __init__(self, dimensions: Sequence[Dimension], gains: np.ndarray, min_keep_ratio: float) -> None:
        self.dimensions = dimensions
        self.gains = gains - gains.mean()
        self.min_keep_ratio = min_keep_ratio
        self._tolerance = 1e-9 * (float(np.ptp(gains)) or 1.0)

    def best(self, among: np.ndarray | None = None) -> list[Choice] | None:
        """The best bounds `among` (a mask) the samples: the given ones where none are better.

        None where the floor is out of reach. Each step changes the one filter that gains most, from the given bounds and from
        open ones.
        """
        weights = np.ones(len(self.gains)) if among is None else among.astype(float)
        given = [dimension.given for dimension in self.dimensions]
        found: list[Choice] | None = None
        reached = -math.inf
        for start in (given, [dimension.open for dimension in self.dimensions]):
            mean, count = self._judge(start, weights)
            if count < self._floor(weights):
                continue
            choices, mean = self._climb(start, mean, weights)
            if found is None or mean > reached + self._tolerance:
                found, reached = choices, mean
        return found

    def held_out(self) -> HeldOut | None:
        """Each fifth of the samples under the bounds that the other four choose; None with too few samples for that."""
        size = len(self.gains)
        if size < _MIN_SAMPLES:
            return None
        fold_of = np.random.default_rng(_SEED).permutation(size) % _FOLDS
        kept_by = [np.zeros(size, dtype=bool) for _ in self.dimensions]
        for fold in range(_FOLDS):
            choices = self.best(fold_of != fold) or [dimension.open for dimension in self.dimensions]
            for at, (dimension, choice) in enumerate(zip(self.dimensions, choices, strict=True)):
                kept_by[at] |= dimension.kept(choice) & (fold_of == fold)
        return HeldOut(np.logical_and.reduce(kept_by), kept_by)

    def kept(self, choices: Sequence[Choice]) -> np.ndarray:
        """Which samples pass all filters."""
        masks = [dimension.kept(choice) for dimension, choice in zip(self.dimensions, choices, strict=True)]
        return np.asarray(np.logical_and.reduce(masks))

    def _floor(self, weights: np.ndarray) -> int:
        return max(1, math.ceil(self.min_keep_ratio * float(weights.sum()) - 1e-9))

    def _judge(self, choices: Sequence[Choice], weights: np.ndarray) -> tuple[float, float]:
        kept = self.kept(choices) * weights
        count = float(kept.sum())
        return (float(kept @ self.gains) / count if count else -math.inf), count

    def _climb(self, start: Sequence[Choice], mean: float, weights: np.ndarray) -> tuple[list[Choice], float]:
        choices = list(start)
        masks = [dimension.kept(choice) for dimension, choice in zip(self.dimensions, choices, strict=True)]
        while True:
            best: tuple[float, float, int, Choice] | None = None
            for at, dimension in enumerate(self.dimensions):
                others = weights * np.logical_and.reduce([np.ones(len(weights), bool), *masks[:at], *masks[at + 1 :]])
                found = self._best_pair(dimension, others, self._floor(weights))
                if found and (best is None or self._is_better(found, best)):
                    best = (found[0], found[1], at, found[2])
            if best is None or best[0] <= mean + self._tolerance:
                return choices, mean
            mean, _, at, choices[at] = best
            masks[at] = self.dimensions[at].kept(choices[at])

    def _is_better(self, found: tuple[float, float, Choice], than: tuple[float, float, int, Choice]) -> bool:
        if abs(found[0] - than[0]) <= self._tolerance:
            return found[1] > than[1]
        return found[0] > than[0]

    def _best_pair(self, dimension: Dimension, others: np.ndarray, floor: int) -> tuple[float, float, Choice] | None:
        """(mean gain, samples kept, choice): the best mean; of equals what keeps most, then the given, then the widest."""
        counts = np.rint(dimension.sums(others))
        allowed = (counts >= floor) & (dimension.lows[:, None] <= dimension.highs[None, :])
        if not allowed.any():
            return None
        means = np.where(allowed, dimension.sums(others * self.gains) / np.maximum(counts, 1), -math.inf)
        best = float(means.max())
        equal = means >= best - self._tolerance
        most = float(counts[equal].max())
        low, high = dimension.given
        choice = min(
            ((int(at[0]), int(at[1])) for at in np.argwhere(equal & (counts == most))),
            key=lambda pair: ((pair[0] != low) + (pair[1] != high), pair[0] - pair[1]),
        )
        return best, most, choice


def standard_error(scores: np.ndarray, after: np.ndarray, before: np.ndarray) -> float:
    """Of the mean score of the samples `after` less that of the samples `before` (masks that overlap), by linearisation."""
    influence = np.zeros(len(scores))
    for mask, sign in ((after, 1.0), (before, -1.0)):
        influence += sign * mask * (scores - scores[mask].mean()) / mask.mean()
    return float(influence.std() / math.sqrt(len(scores)))
