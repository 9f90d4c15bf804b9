"""The inception score of class probabilities (Salimans et al. 2016)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def inception_score(probabilities: Array) -> float:
    """exp of the mean KL divergence of the rows [n, classes] from their mean: from 1 to the number of classes."""
    rows = np.asarray(probabilities, dtype=np.float64)
    mean = rows.mean(axis=0)
    ratio = np.divide(rows, mean, out=np.ones_like(rows), where=rows > 0)  # what is 0 adds 0
    return float(np.exp((rows * np.log(ratio)).sum(axis=1).mean()))


def split_scores(probabilities: Array, splits: int) -> tuple[float, float]:
    """Mean and standard deviation of the scores of `splits` parts of the rows (as many or more), in their order."""
    count = len(probabilities)
    bounds = [part * count // splits for part in range(splits + 1)]
    scores = [inception_score(probabilities[low:high]) for low, high in pairwise(bounds)]
    return float(np.mean(scores)), float(np.std(scores))
