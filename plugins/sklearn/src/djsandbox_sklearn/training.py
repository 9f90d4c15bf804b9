"""Fitting linear text classifiers with stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from djsandbox_sklearn.features import HashedRows
from djsandbox_sklearn.linear_model import LinearTextModel, one_versus_rest
from djsandbox_sklearn.spec import Manifest

MIN_PROBABILITY = 1e-15
"""Probabilities are clipped here before their logarithm is taken, so that one hopeless row costs 34.5 nats, not infinity."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What shapes a training besides the data; `learning_rate` None is scikit-learn's decaying "optimal" schedule."""

    epochs: int
    batch_size: int
    alpha: float
    learning_rate: float | None
    bootstrap: bool


class SeedTraining:
    """The training of one seed: its classifier, and its own order (and, with bootstrap, its own draw) of the rows."""

    def __init__(self, rows: HashedRows, settings: TrainingSettings, seed: int) -> None:
        self._rows, self._settings = rows, settings
        self._random = np.random.default_rng(seed)
        size = len(rows)
        self._drawn = self._random.integers(0, size, size) if settings.bootstrap else np.arange(size)
        step: dict[str, Any] = {"learning_rate": "optimal"}
        if settings.learning_rate is not None:
            step = {"learning_rate": "constant", "eta0": settings.learning_rate}
        self._classifier = SGDClassifier(loss="log_loss", alpha=settings.alpha, shuffle=False, random_state=seed, **step)

    def epoch(self) -> float:
        """Go through the data once; returns the mean log-loss of the batches, each measured before it was learned from."""
        order = self._random.permutation(self._drawn)
        codes, labels = self._rows.codes, np.arange(len(self._rows.labels))
        total = 0.0
        for start in range(0, len(order), self._settings.batch_size):
            batch = order[start : start + self._settings.batch_size]
            vectors = self._rows.take(batch)
            total += self._loss(vectors, codes[batch])
            if len(labels) > 1:  # with one label there is nothing to learn: zero weights say it with certainty
                self._classifier.partial_fit(vectors, codes[batch], classes=labels)
        return total / len(order)

    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (labels, features) and intercepts (labels)."""
        num_labels = len(self._rows.labels)
        if not hasattr(self._classifier, "coef_"):
            return np.zeros((num_labels, self._rows.spec.n_features)), np.zeros(num_labels)
        weights, intercepts = self._classifier.coef_, self._classifier.intercept_
        if num_labels == 2:  # scikit-learn keeps one row for two labels
            return np.vstack([-weights, weights]), np.concatenate([-intercepts, intercepts])
        return weights, intercepts

    def _loss(self, vectors: csr_matrix, codes: np.ndarray) -> float:
        weights, intercepts = self.parameters()
        probabilities = one_versus_rest(vectors @ weights.T + intercepts)
        return float(-np.log(np.maximum(probabilities[np.arange(len(codes)), codes], MIN_PROBABILITY)).sum())


def train(
    rows: HashedRows, settings: TrainingSettings, manifest: Manifest, on_epoch: Callable[[int, int, float], None]
) -> LinearTextModel:
    """One classifier for each seed of `manifest`; `on_epoch(seed, epoch, loss)` is called as they go."""
    trained = []
    for seed in manifest.seeds:
        training = SeedTraining(rows, settings, seed)
        for epoch in range(1, settings.epochs + 1):
            on_epoch(seed, epoch, training.epoch())
        trained.append(training.parameters())
    active = np.flatnonzero(np.any([np.any(weights, axis=0) for weights, _ in trained], axis=0)).astype(np.int32)
    return LinearTextModel(
        manifest,
        active,
        np.stack([weights[:, active] for weights, _ in trained]).astype(np.float32),
        np.stack([intercepts for _, intercepts in trained]).astype(np.float32),
    )
