"""The share of predicted labels that are right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from djsandbox_pools.pairs import PairConfig, PairEvaluator, Score


class AccuracyEvaluator(PairEvaluator):
    """Accuracy of predicted labels against the ground truth."""

    metric = "accuracy"

    class Config(PairConfig):
        """Where a row has its labels; dotted keys reach into nested ones."""

        predicted_label_key: str
        """Key of the predicted label, dotted if nested."""
        ground_truth_label_key: str
        """Key of the true label, dotted if nested."""

    def keys(self) -> tuple[str, str]:
        """The dotted keys of the two labels."""
        return self.config.predicted_label_key, self.config.ground_truth_label_key

    def score(self, pairs: Iterable[tuple[Any, Any]]) -> Score:
        """Hits in [0, 1] of the rows with a true label; labels are compared as text, and a missing prediction is a miss."""
        hits = compared = without_prediction = without_truth = 0
        for predicted, truth in pairs:
            if truth is None:
                without_truth += 1
            elif predicted is None:
                without_prediction += 1
            else:
                compared += 1
                hits += str(predicted) == str(truth)
        value = hits / (compared + without_prediction) if compared else None
        return Score(value, without_prediction + without_truth)

    def best(self, values: list[float]) -> float:
        """The highest accuracy."""
        return max(values)
