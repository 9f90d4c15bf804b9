"""From features to the values of a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frechet import frechet_distance, gaussian
from .inception_score import split_scores
from .kernel import kernel_distance
from .neighbours import precision_recall
from .problems import Unfit

Array = NDArray[Any]

_IS_ONE = 1e-2  # of a sum of probabilities, which may be in half precision


def values_of(
    computation: str,
    options: Mapping[str, float],
    fake: Array,
    real: Array | None,
    weights: tuple[Array, Array] | None,
    random: np.random.Generator,
) -> tuple[float, ...]:
    """The values of one run, in the order of the metric's keys; `weights` are of the rows of `fake` and `real`."""
    if computation == "inception_score":
        splits = int(options["splits"])
        _check_count(fake, splits, "generated", f"the score is the mean over {splits} parts")
        _check_probabilities(fake)
        # Clips are drawn in rounds of all videos: parts in that order would be more alike than parts drawn by chance.
        return split_scores(random.permutation(fake), splits)
    assert real is not None  # noqa: S101 - the evaluator has seen to it
    if computation == "neighbours":
        nearest = int(options["nearest"])
        for called, rows in (("generated", fake), ("real", real)):
            _check_count(rows, nearest + 1, called, f"each needs {nearest} neighbours")
        return precision_recall(real, fake, nearest)
    for called, rows in (("generated", fake), ("real", real)):
        _check_count(rows, 2, called, "one alone has no spread")
    if computation == "kernel":
        distance = kernel_distance(real, fake, int(options["subsets"]), int(options["subset_size"]), random)
        return (distance * options.get("scale", 1),)
    fake_weights, real_weights = weights if weights and options.get("weigh_by_video") else (None, None)
    return (frechet_distance(gaussian(real, real_weights), gaussian(fake, fake_weights)),)


def summary(keys: Sequence[str], runs: Sequence[Sequence[float]]) -> dict[str, float]:
    """The results: of one run its values by key; of more all of them, and mean and standard deviation."""
    if len(runs) == 1:
        return dict(zip(keys, runs[0], strict=True))
    results = {
        f"{key}_run{at:02d}": value for at, run in enumerate(runs, start=1) for key, value in zip(keys, run, strict=True)
    }
    for key, values in zip(keys, zip(*runs, strict=True), strict=True):
        results[f"{key}_mean"] = float(np.mean(values))
        results[f"{key}_std"] = float(np.std(values))
    return results


def _check_count(rows: Array, least: int, called: str, why: str) -> None:
    if len(rows) < least:
        raise Unfit(f"{len(rows)} {called} samples are too few: {least} are needed at least, for {why}; give more videos")


def _check_probabilities(rows: Array) -> None:
    if rows.min() < 0 or np.abs(rows.sum(axis=1) - 1).max() > _IS_ONE:
        raise Unfit("the detector gave no probabilities: they must be 0 or more, and 1 in all; name another 'detector_path'")
