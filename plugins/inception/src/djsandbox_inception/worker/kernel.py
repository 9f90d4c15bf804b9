"""The kernel distance of two sets of features: the squared maximum mean discrepancy (Binkowski et al. 2018)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def polynomial_mmd(first: Array, second: Array) -> float:
    """The unbiased estimate of the squared MMD of [m, d] and [n, d], m and n at least 2, with the kernel (x y / d + 1)^3.

    It may be below 0.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return _mean_off_diagonal(_kernel(x, x)) + _mean_off_diagonal(_kernel(y, y)) - 2 * float(_kernel(x, y).mean())


def kernel_distance(real: Array, fake: Array, subsets: int, subset_size: int, random: np.random.Generator) -> float:
    """The mean of the squared MMD over `subsets` pairs of random subsets, of `subset_size` rows or as many as there are."""
    size = min(len(real), len(fake), subset_size)
    if size == len(real) == len(fake):
        return polynomial_mmd(real, fake)  # as all subsets would be everything
    distances = [
        polynomial_mmd(real[random.choice(len(real), size, replace=False)], fake[random.choice(len(fake), size, replace=False)])
        for _ in range(subsets)
    ]
    return float(np.mean(distances))


def _kernel(x: Array, y: Array) -> Array:
    values: Array = (x @ y.T / x.shape[1] + 1) ** 3
    return values


def _mean_off_diagonal(square: Array) -> float:
    count = len(square)
    return float((square.sum() - np.trace(square)) / (count * (count - 1)))
