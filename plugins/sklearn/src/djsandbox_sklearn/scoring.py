"""What models say about a test set, kept as two arrays a model, and the metrics made from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from djsandbox.errors import ComponentError, Position
from scipy.sparse import csr_matrix

from djsandbox_sklearn.features import HashedRows
from djsandbox_sklearn.linear_model import LinearTextModel
from djsandbox_sklearn.rows import read_rows
from djsandbox_sklearn.scratch import scratch_folder
from djsandbox_sklearn.spec import METRICS, Manifest, Metric
from djsandbox_sklearn.training import MIN_PROBABILITY


@dataclass(frozen=True)
class Predictions:
    """One trained classifier on a test set; labels are codes of the test set's vocabulary."""

    predicted: np.ndarray
    """The most probable label of each row."""
    true_log_loss: np.ndarray
    """-ln P(true label) of each row; a label the model does not know has the clipped probability."""


class LabelledSet:
    """A held-out dataset, hashed once for each kind of features that the models on it want.

    `codes` are the true labels; `labels` is the vocabulary, which grows by what the models know beyond the test set.
    """

    def __init__(self, path: str, scratch: Path) -> None:
        self.path = path
        self._scratch = scratch
        self._hashed: dict[tuple[str, str, str], HashedRows] = {}
        self.labels: list[str] = []
        self.codes: np.ndarray

    def predictions(self, model: LinearTextModel) -> list[Predictions]:
        """What the classifier of each seed says."""
        rows = self._rows_for(model.manifest)
        return [self._predict(model, rows, index) for index in range(len(model.manifest.seeds))]

    def _rows_for(self, manifest: Manifest) -> HashedRows:
        key = (manifest.features.model_dump_json(), manifest.text_key, manifest.label_key)
        if key not in self._hashed:
            rows = read_rows(self.path, text_key=manifest.text_key, label_key=manifest.label_key)
            hashed = HashedRows(rows, manifest.features, self._scratch / str(len(self._hashed)))
            if not len(hashed):
                raise ComponentError("the dataset has no rows to evaluate on", where=Position(self.path))
            if not self._hashed:
                self.labels, self.codes = list(hashed.labels), hashed.codes
            elif [hashed.labels[code] for code in hashed.codes] != [self.labels[code] for code in self.codes]:
                raise ComponentError(
                    f"the models read different labels from the dataset (label_key '{manifest.label_key}' and another)",
                    where=Position(self.path),
                    fix="compare models that were trained with one label_key",
                )
            self._hashed[key] = hashed
        return self._hashed[key]

    def _predict(self, model: LinearTextModel, rows: HashedRows, seed_index: int) -> Predictions:
        column_of_true, code_of_column = self._translation(model.manifest.labels)
        predicted, losses = [], []
        start = 0
        for vectors in rows.batches():
            probabilities = model.probabilities(vectors, seed_index)
            columns = column_of_true[self.codes[start : start + len(probabilities)]]
            own = np.where(columns >= 0, probabilities[np.arange(len(columns)), columns], 0.0)
            predicted.append(code_of_column[probabilities.argmax(axis=1)])
            losses.append(-np.log(np.maximum(own, MIN_PROBABILITY)))
            start += len(columns)
        return Predictions(np.concatenate(predicted), np.concatenate(losses))

    def _translation(self, model_labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """For each code of the vocabulary the model's column (-1: unknown to it), and for each column its code."""
        known = set(self.labels)
        self.labels += [label for label in model_labels if label not in known]
        column_of = {label: column for column, label in enumerate(model_labels)}
        code_of = {label: code for code, label in enumerate(self.labels)}
        return (
            np.array([column_of.get(label, -1) for label in self.labels]),
            np.array([code_of[label] for label in model_labels]),
        )


@contextmanager
def labelled_set(path: str, work_dir: Path) -> Iterator[LabelledSet]:
    """A LabelledSet whose hashed vectors live in `work_dir` as long as the context."""
    with scratch_folder(work_dir) as scratch:
        yield LabelledSet(path, scratch)


def metric_values(metric: Metric, truth: np.ndarray, predictions: Predictions, weights: np.ndarray) -> np.ndarray:
    """`metric` under each row of `weights`, shape (draws, rows): how often each test row counts.

    Macro-F1 is the mean over the labels that occur as truth or prediction, as in scikit-learn.
    """
    totals = weights.sum(axis=1)
    if metric == "accuracy":
        return np.asarray(weights @ (predictions.predicted == truth) / totals)
    if metric == "log_loss":
        return np.asarray(weights @ predictions.true_log_loss / totals)
    size = int(max(truth.max(), predictions.predicted.max())) + 1
    true, said = _indicators(truth, size), _indicators(predictions.predicted, size)
    hits, support = weights @ true.multiply(said).tocsr(), weights @ true + weights @ said
    occurs = support > 0
    return np.asarray((2 * hits / np.where(occurs, support, 1)).sum(axis=1) / occurs.sum(axis=1))


def _indicators(codes: np.ndarray, size: int) -> csr_matrix:
    """1 at (row, label of the row), shape (rows, size)."""
    return csr_matrix((np.ones(len(codes)), codes, np.arange(len(codes) + 1)), shape=(len(codes), size))


def metrics_of(truth: np.ndarray, predictions: Predictions) -> dict[str, float]:
    """All metrics on the test set as it is."""
    once = np.ones((1, len(truth)))
    return {metric: float(metric_values(metric, truth, predictions, once)[0]) for metric in METRICS}
