"""Paired bootstrap resampling of test sets and of training runs.

B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993); for comparing systems on one test set: P. Koehn,
Statistical Significance Tests for Machine Translation Evaluation (EMNLP 2004). Simultaneous intervals by the largest
standardised deviation: P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing (1993).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from djsandbox_sklearn.scoring import Predictions, metric_values
from djsandbox_sklearn.spec import Metric

_MOST_NUMBERS = 4_000_000  # 32 MB of them


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a difference lies, `low` to `high`."""

    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        """True where no difference is among the plausible ones."""
        return self.low <= 0.0 <= self.high


def resampled_differences(
    metric: Metric,
    truth: np.ndarray,
    models: Sequence[Sequence[Predictions]],
    baseline: Sequence[Predictions],
    *,
    num_resamples: int,
    seed: int,
) -> np.ndarray:
    """`metric` of each model less that of the baseline, shape (num_resamples, models).

    `models` and `baseline` hold the predictions of each seed's classifier. A resample draws as many test rows as there are,
    with replacement, the same for all (that is what pairs them), and for each side one of its classifiers.
    """
    random = np.random.default_rng(seed)
    sides = [baseline, *models]
    values = [[np.empty(num_resamples) for _ in side] for side in sides]
    start = 0
    for weights in _test_set_draws(len(truth), num_resamples, random):
        for side, results in zip(sides, values, strict=True):
            for predictions, result in zip(side, results, strict=True):
                result[start : start + len(weights)] = metric_values(metric, truth, predictions, weights)
        start += len(weights)
    drawn = [np.choose(random.integers(0, len(side), num_resamples), side) for side in map(np.array, values)]
    return np.stack([side - drawn[0] for side in drawn[1:]], axis=1)


def intervals(points: np.ndarray, resampled: np.ndarray, confidence: float) -> list[Interval]:
    """For each model the interval of its difference; all of them hold together with probability `confidence`.

    `points` are the observed differences. One model alone gets the percentile interval. For several, the interval is the
    observed difference -/+ c standard errors, with c the `confidence` quantile, over the resamples, of the largest
    standardised deviation.
    """
    if len(points) == 1:
        tail = (1.0 - confidence) / 2
        low, high = np.quantile(resampled[:, 0], [tail, 1.0 - tail])
        return [Interval(float(low), float(high))]
    errors = resampled.std(axis=0)
    deviations = np.abs(resampled - resampled.mean(axis=0)) / np.where(errors > 0, errors, 1.0)
    reach = float(np.quantile(deviations.max(axis=1), confidence)) * errors
    return [Interval(float(point - half), float(point + half)) for point, half in zip(points, reach, strict=True)]


def _test_set_draws(size: int, num_resamples: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each test row was drawn, in blocks of shape (draws, size); the draws do not depend on the blocks."""
    height = max(1, min(64, _MOST_NUMBERS // size))
    for start in range(0, num_resamples, height):
        block = range(start, min(start + height, num_resamples))
        yield np.stack([np.bincount(random.integers(0, size, size), minlength=size) for _ in block]).astype(np.float64)
