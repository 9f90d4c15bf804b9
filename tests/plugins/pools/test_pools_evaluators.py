from __future__ import annotations

from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_pools.accuracy import AccuracyEvaluator
from djsandbox_pools.mse import MSEEvaluator


def _accuracy(predicted: Any, truth: Any = None, pred_key: str = "pred", gt_key: str = "label") -> AccuracyEvaluator:
    keys = {"predicted_label_key": pred_key, "ground_truth_label_key": gt_key}
    return AccuracyEvaluator(
        AccuracyEvaluator.Config(predicted_dataset_path=predicted, ground_truth_dataset_path=truth, **keys)
    )


def _mse(predicted: Any, truth: Any = None, pred_key: str = "pred", gt_key: str = "value") -> MSEEvaluator:
    keys = {"predicted_value_key": pred_key, "ground_truth_value_key": gt_key}
    return MSEEvaluator(MSEEvaluator.Config(predicted_dataset_path=predicted, ground_truth_dataset_path=truth, **keys))


def test_accuracy_is_the_share_of_equal_labels_and_the_highest_is_the_best(pool) -> None:
    good = pool("good.jsonl", [{"pred": "a", "label": "a"}, {"pred": 1, "label": "1"}, {"pred": "x", "label": "y"}])
    poor = pool("poor.jsonl", [{"pred": "a", "label": "b"}, {"pred": "b", "label": "b"}])
    results, best = _accuracy([poor, good]).run("data")
    assert results == [
        {"pred_path": poor, "gt_path": poor, "accuracy": 0.5, "format_error": 0},
        {"pred_path": good, "gt_path": good, "accuracy": pytest.approx(2 / 3), "format_error": 0},
    ]
    assert best == pytest.approx(2 / 3)


def test_mse_is_the_mean_of_squared_differences_and_the_lowest_is_the_best(pool) -> None:
    far = pool("far.jsonl", [{"pred": 3, "value": 1}, {"pred": "0.5", "value": 0.5}])
    near = pool("near.jsonl", [{"pred": 1.5, "value": "1"}])
    results, best = _mse([far, near]).run("data")
    assert [result["mse"] for result in results] == [2.0, 0.25] and best == 0.25
    assert results[1] == {"pred_path": near, "gt_path": near, "mse": 0.25, "format_error": 0}


def test_the_ground_truth_may_stand_in_another_file_row_by_row(pool) -> None:
    predicted = pool("pred.jsonl", [{"out": {"label": "a"}}, {"out": {"label": "b"}}])
    truth = pool("truth.jsonl", [{"meta": {"gold.label": "a"}}, {"meta": {"gold.label": "c"}}])
    results, best = _accuracy(predicted, truth, "out.label", "meta.gold.label").run("data")
    assert results[0]["gt_path"] == truth and best == 0.5


def test_a_missing_prediction_is_a_miss_and_a_missing_truth_is_left_out_and_both_are_counted(pool) -> None:
    rows = [{"pred": "a", "label": "a"}, {"label": "None"}, {"pred": None, "label": "b"}, {"pred": "c"}]
    results, _ = _accuracy(pool("a.jsonl", rows)).run("data")
    assert results[0]["accuracy"] == pytest.approx(1 / 3) and results[0]["format_error"] == 3


@pytest.mark.parametrize("wrong", ["I would say 0.7", None, [1], {"a": 1}, "nan", "inf", ""])
def test_a_value_that_is_no_finite_number_is_a_format_error_and_left_out(wrong: Any, pool) -> None:
    rows = [{"pred": wrong, "value": 1}, {"pred": 3, "value": 1}, {"pred": 1, "value": wrong}, {"value": 1}]
    results, best = _mse(pool("a.jsonl", rows)).run("data")
    assert best == 4.0 and results[0]["format_error"] == 3


def test_a_dataset_with_format_errors_only_is_an_error_that_names_the_keys(pool) -> None:
    path = pool("a.jsonl", [{"pred": "?", "value": 1}])
    with pytest.raises(ComponentError, match=r"none of the 1 rows of .*a\.jsonl can be compared: 'pred' with 'value'"):
        _mse(path).run("data")
    with pytest.raises(ComponentError, match=r"'prde' with 'value'"):
        _accuracy(path, pred_key="prde", gt_key="value").run("data")


def test_files_of_different_length_are_an_error_that_counts_both(pool) -> None:
    predicted, truth = pool("p.jsonl", [{"pred": 1}]), pool("t.jsonl", [{"value": 1}, {"value": 2}])
    with pytest.raises(ComponentError, match=r"p\.jsonl has 1 rows but .*t\.jsonl has 2"):
        _mse(predicted, truth).run("data")


def test_lists_of_different_length_are_found_while_planning_and_at_run(pool) -> None:
    path = pool("a.jsonl", [{"pred": 1, "label": 1}])
    evaluator = _accuracy([path, path], [path])
    [finding] = evaluator.check()
    assert finding.loc == ("ground_truth_dataset_path",) and "2 predicted datasets but 1" in finding.message
    with pytest.raises(ComponentError, match="2 predicted datasets but 1"):
        evaluator.run("data")


def test_an_empty_list_of_ground_truth_means_that_the_rows_hold_it(pool) -> None:
    evaluator = _mse(pool("a.jsonl", [{"pred": 1, "value": 2}]), [])
    assert list(evaluator.check()) == [] and evaluator.run("data")[1] == 1.0


def test_missing_and_empty_datasets_are_named(pool, tmp_path) -> None:
    with pytest.raises(ComponentError, match=r"absent\.jsonl does not exist"):
        _mse([pool("a.jsonl", [{"pred": 1, "value": 2}]), str(tmp_path / "absent.jsonl")]).run("data")
    with pytest.raises(ComponentError, match=r"empty\.jsonl has no rows"):
        _accuracy(pool("empty.jsonl", [])).run("data")


def test_what_is_in_the_results_is_known_before_the_run_where_the_datasets_are(pool) -> None:
    file = pool("a.jsonl", [{"pred": 1, "value": 2}])
    planned, returned = _mse([file]).planned_outputs(), _mse([file]).run("data")
    assert [result.keys() for result in planned[0]] == [result.keys() for result in returned[0]]
    assert len(planned) == len(returned) and planned[0][0]["pred_path"] == file
