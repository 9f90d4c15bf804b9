"""Precision and recall of a generated set by nearest neighbours (Kynkaanniemi et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_NUMBERS_AT_ONCE = 1 << 25  # 256 MiB of distances


def precision_recall(real: Array, fake: Array, nearest: int) -> tuple[float, float]:
    """Share of `fake` inside the manifold of `real`, and of `real` inside that of `fake`; both [n, d].

    The manifold of a set is the union of spheres around its points, each as large as the distance to the `nearest`-th of the
    other points; each set has more than `nearest` points.
    """
    middle = np.asarray(real, dtype=np.float64).mean(axis=0)  # near it, differences of squares lose the least
    centred_real, centred_fake = real - middle, fake - middle
    return _share_inside(centred_fake, centred_real, nearest), _share_inside(centred_real, centred_fake, nearest)


def _share_inside(points: Array, manifold: Array, nearest: int) -> float:
    radii = np.concatenate([np.partition(rows, nearest, axis=1)[:, nearest] for rows in _squared_distances(manifold, manifold)])
    inside = [(rows <= radii).any(axis=1) for rows in _squared_distances(points, manifold)]
    return float(np.concatenate(inside).mean())


def _squared_distances(rows: Array, columns: Array) -> Iterator[Array]:
    """Those of `rows` to all `columns`, a part of the rows after the other; what is only rounding is 0."""
    squares = np.square(columns).sum(axis=1)
    step = max(1, _NUMBERS_AT_ONCE // len(columns))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        sums = np.square(part).sum(axis=1)[:, None] + squares
        distances = sums - 2 * (part @ columns.T)
        distances[distances < sums * 1e-12] = 0
        yield distances
