"""The mean squared error of predicted numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from djsandbox_pools.pairs import PairConfig, PairEvaluator, Score


class MSEEvaluator(PairEvaluator):
    """Mean squared error of predicted numbers against the ground truth."""

    metric = "mse"

    class Config(PairConfig):
        """Where a row has its values (numbers or their text); dotted keys reach into nested ones."""

        predicted_value_key: str
        """Key of the predicted number (or its text), dotted if nested."""
        ground_truth_value_key: str
        """Key of the true number (or its text), dotted if nested."""

    def keys(self) -> tuple[str, str]:
        """The dotted keys of the two values."""
        return self.config.predicted_value_key, self.config.ground_truth_value_key

    def score(self, pairs: Iterable[tuple[Any, Any]]) -> Score:
        """Mean of the squared differences; a row of which one value is no finite number is a format error and left out."""
        squares: list[float] = []
        format_errors = 0
        for predicted, truth in pairs:
            difference = _number(predicted) - _number(truth)
            if math.isfinite(difference):
                squares.append(difference * difference)
            else:
                format_errors += 1
        return Score(math.fsum(squares) / len(squares) if squares else None, format_errors)

    def best(self, values: list[float]) -> float:
        """The lowest error."""
        return min(values)


def _number(value: Any) -> float:
    """`value` as a number; NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
