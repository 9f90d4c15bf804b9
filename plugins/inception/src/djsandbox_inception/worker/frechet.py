"""The Frechet distance of two sets of features, as of two Gaussians (Heusel et al. 2017, Unterthiner et al. 2018).

|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), of means m and covariances C.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def gaussian(features: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Mean [d] and covariance [d, d] of features [n, d] with weights [n], normalised by the sum of the weights."""
    values = np.asarray(features, dtype=np.float64)
    shares = (
        np.full(len(values), 1 / len(values)) if weights is None else np.asarray(weights, dtype=np.float64) / np.sum(weights)
    )
    mean = shares @ values
    centred = (values - mean) * np.sqrt(shares)[:, None]
    return mean, centred.T @ centred


def frechet_distance(first: tuple[Array, Array], second: tuple[Array, Array]) -> float:
    """The distance of two Gaussians, each a mean and a covariance; never below 0.

    The covariances may be singular, as they are where there are fewer samples than dimensions: the trace of the root of
    C1 C2 is that of the symmetric (C1^(1/2) C2 C1^(1/2))^(1/2), whose eigenvalues are real and not negative.
    """
    (mean_1, covariance_1), (mean_2, covariance_2) = first, second
    root = _root(covariance_1)
    mixed = np.sqrt(_eigenvalues(root @ covariance_2 @ root)).sum()
    distance = np.square(mean_1 - mean_2).sum() + np.trace(covariance_1) + np.trace(covariance_2) - 2 * mixed
    return max(float(distance), 0.0)


def _root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(_symmetric(covariance))
    root: Array = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root


def _eigenvalues(matrix: Array) -> Array:
    values: Array = np.linalg.eigvalsh(_symmetric(matrix)).clip(min=0)
    return values


def _symmetric(matrix: Array) -> Array:
    both: Array = (matrix + matrix.T) / 2
    return both
