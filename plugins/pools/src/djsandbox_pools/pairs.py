"""Predictions and ground truth, row by row: what the accuracy and mse evaluators share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from djsandbox import DECIDED_AT_RUN, BaseEvaluator, ComponentConfig, ComponentError, Finding, InputPaths

from djsandbox_pools.dotted import lookup
from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.manipulator import Pools, known_paths


class PairConfig(ComponentConfig):
    """The datasets with the predictions; those with the ground truth, in the same order, unless both stand in one row."""

    predicted_dataset_path: Pools
    """Files with the predictions (JSON lines), one or a list."""
    ground_truth_dataset_path: InputPaths | None = None
    """Files with the ground truth: as many, each with the same rows in the same order. By default the same files."""


class Score(NamedTuple):
    """What a dataset's rows come to; `value` is None where no row could be compared."""

    value: float | None
    format_errors: int


class PairEvaluator(BaseEvaluator):
    """Base of evaluators that compare one value of a row with another."""

    deterministic = True
    metric: str

    def check(self) -> Iterable[Finding]:
        """Find lists of datasets that do not match one to one."""
        predicted, truth = (known_paths(self.config, f"{side}_dataset_path") for side in ("predicted", "ground_truth"))
        if predicted and truth and len(predicted) != len(truth):
            yield Finding(("ground_truth_dataset_path",), *_unequal(predicted, truth))

    def planned_outputs(self) -> Any:
        """What is in each result, and that the best is a number, where the datasets are known."""
        predicted = known_paths(self.config, "predicted_dataset_path")
        truth = known_paths(self.config, "ground_truth_dataset_path") or predicted
        if not predicted or len(predicted) != len(truth):
            return DECIDED_AT_RUN
        measured = dict.fromkeys((self.metric, "format_error"), DECIDED_AT_RUN)
        results = [{"pred_path": pred, "gt_path": gt, **measured} for pred, gt in zip(predicted, truth, strict=True)]
        return results, DECIDED_AT_RUN

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> tuple[list[dict[str, Any]], float]:
        """Return a result for each dataset (pred_path, gt_path, the metric, format_error), then the best of the metric."""
        predicted: list[str] = self.config.predicted_dataset_path
        truth: list[str] = self.config.ground_truth_dataset_path or predicted
        if len(predicted) != len(truth):
            message, fix = _unequal(predicted, truth)
            raise ComponentError(message, fix=fix)
        results = [self._evaluated(pred_path, gt_path) for pred_path, gt_path in zip(predicted, truth, strict=True)]
        return results, self.best([result[self.metric] for result in results])

    @abstractmethod
    def keys(self) -> tuple[str, str]:
        """The dotted keys of the prediction and of the ground truth."""

    @abstractmethod
    def score(self, pairs: Iterable[tuple[Any, Any]]) -> Score:
        """The metric over pairs of prediction and ground truth, each None where a row has none."""

    @abstractmethod
    def best(self, values: list[float]) -> float:
        """The best of the metric's values."""

    def _evaluated(self, pred_path: str, gt_path: str) -> dict[str, Any]:
        pair_count, pairs = self._pairs(pred_path, gt_path)
        value, format_errors = self.score(pairs)
        if value is None:
            pred_key, gt_key = self.keys()
            raise ComponentError(
                f"none of the {pair_count} rows of {pred_path} can be compared: '{pred_key}' with '{gt_key}' of {gt_path}",
                fix="correct the keys, or see why the rows have no values there",
            )
        if format_errors:
            self.logger.warning("%s: %d of %d rows have a format error", pred_path, format_errors, pair_count)
        return {"pred_path": pred_path, "gt_path": gt_path, self.metric: value, "format_error": format_errors}

    def _pairs(self, pred_path: str, gt_path: str) -> tuple[int, Iterator[tuple[Any, Any]]]:
        pred_key, gt_key = self.keys()
        predictions = JsonLines(pred_path)
        if pred_path == gt_path:
            return len(predictions), ((_value(row, pred_key), _value(row, gt_key)) for row in predictions.objects())
        truth = JsonLines(gt_path)
        if len(predictions) != len(truth):
            raise ComponentError(
                f"{pred_path} has {len(predictions)} rows but {gt_path} has {len(truth)}",
                fix="the two must hold the same samples in the same order",
            )
        rows = zip(predictions.objects(), truth.objects(), strict=True)
        return len(predictions), ((_value(pred, pred_key), _value(gt, gt_key)) for pred, gt in rows)


def _value(row: Mapping[str, Any], key: str) -> Any:
    try:
        return lookup(row, key)
    except KeyError:
        return None


def _unequal(predicted: list[str], truth: list[str]) -> tuple[str, str]:
    return (
        f"{len(predicted)} predicted datasets but {len(truth)} with the ground truth",
        "give one ground_truth_dataset_path for each predicted_dataset_path, or none where the rows hold both",
    )
