from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from djsandbox import ComponentError, JobContext
from djsandbox_pools.ranking import DataPoolRanking
from pydantic import ValidationError

POOLS = ["a.jsonl", "b.jsonl", "c.jsonl"]


class Recorder:
    """Keeps the tables it is given."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, Sequence[str], Sequence[Sequence[Any]], Sequence[str]]] = []

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        raise AssertionError("a ranking records a table only")

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        self.tables.append((title, columns, rows, notes))

    def query(self, meta_name: str) -> Any:
        return None


def _ranking(metrics: Any, paths: Any = POOLS, **settings: Any) -> DataPoolRanking:
    return DataPoolRanking(DataPoolRanking.Config(dataset_path=paths, metrics=metrics, **settings))


def test_the_highest_number_ranks_first_unless_ascending_is_asked_for() -> None:
    assert _ranking([1, 3.5, 2]).run() == ["b.jsonl", "c.jsonl", "a.jsonl"]
    assert _ranking([1, 3.5, 2], descending=False).run() == ["a.jsonl", "c.jsonl", "b.jsonl"]


def test_only_the_best_top_n_are_returned_as_a_list_even_of_one() -> None:
    assert _ranking([1, 3, 2], top_n=2).run() == ["b.jsonl", "c.jsonl"]
    assert _ranking([1, 3, 2], top_n=1).run() == ["b.jsonl"]
    assert _ranking([1, 3, 2], top_n=9).run() == ["b.jsonl", "c.jsonl", "a.jsonl"]
    assert _ranking(1, "a.jsonl").run() == ["a.jsonl"]


def test_dotted_keys_are_compared_one_after_the_other() -> None:
    metrics = [{"eval": {"mse": 0.1}, "format_error": 2}, {"eval": {"mse": 0.2}, "format_error": 0}]
    metrics.append({"eval": {"mse": 0.1}, "format_error": 1})
    ranking = _ranking(metrics, ranking_keys=["eval.mse", "format_error"], descending=False)
    assert ranking.run() == ["c.jsonl", "a.jsonl", "b.jsonl"]


def test_a_key_may_itself_have_dots() -> None:
    metrics = [{"top.1": {"acc": 1}}, {"top.1": {"acc": 3}}, {"top": {"1": {"acc": 2}}}]
    assert _ranking(metrics, ranking_keys="top.1.acc").run() == ["b.jsonl", "c.jsonl", "a.jsonl"]


@pytest.mark.parametrize("descending", [True, False])
def test_equal_metrics_keep_the_order_of_the_config(descending: bool) -> None:
    assert _ranking([1, 1, 1], descending=descending).run() == POOLS


@pytest.mark.parametrize("descending", [True, False])
def test_a_pool_whose_metric_is_nan_ranks_last_either_way(descending: bool, caplog) -> None:
    assert _ranking([math.nan, -math.inf, math.inf], descending=descending).run()[-1] == "a.jsonl"
    assert "a.jsonl is not a number (NaN)" in caplog.text


def test_metrics_may_be_given_by_path() -> None:
    by_path = {"c.jsonl": {"acc": 3}, "a.jsonl": {"acc": 1}, "b.jsonl": {"acc": 2}, "baseline": {"acc": 9}}
    ranking = _ranking(by_path, ranking_keys=["acc"])
    assert list(ranking.check()) == [] and ranking.run() == ["c.jsonl", "b.jsonl", "a.jsonl"]


def test_the_ranking_is_shown_as_a_table() -> None:
    recorder = Recorder()
    ranking = _ranking([{"acc": 0.5}, {"acc": 0.75}, {"acc": 0.25}], ranking_keys=["acc"], top_n=2)
    ranking.attach(JobContext(watcher=recorder)).run()
    [(_, columns, rows, notes)] = recorder.tables
    assert list(columns) == ["rank", "data pool", "acc"]
    assert rows == [[1, "b.jsonl", 0.75], [2, "a.jsonl", 0.5]] and notes == ["the best 2 of 3 pools"]


def test_the_table_calls_the_pools_by_their_labels_and_their_paths_are_returned() -> None:
    recorder = Recorder()
    ranking = _ranking([1, 3, 2], labels=["low", "high", "middle"], top_n=2).attach(JobContext(watcher=recorder))
    assert ranking.run() == ["b.jsonl", "c.jsonl"]
    assert recorder.tables[0][2] == [[1, "high", 3], [2, "middle", 2]]


def test_labels_that_do_not_match_the_pools_are_found_while_planning_and_at_run() -> None:
    ranking = _ranking([1, 3, 2], labels="low")
    (finding,) = ranking.check()
    assert finding.loc == ("labels",) and finding.message == "3 data pools but 1 labels"
    with pytest.raises(ComponentError, match="3 data pools but 1 labels"):
        ranking.run()
    assert list(_ranking([1], ["<decided at run: x>"], labels=["a", "b"]).check()) == []


def test_mappings_without_ranking_keys_are_an_error_that_lists_the_keys() -> None:
    with pytest.raises(ComponentError, match=r"ranking_keys is not set(.|\n)*mse, nested\.acc"):
        _ranking([{"path": "x", "mse": 1, "nested": {"acc": 2}}] * 3).run()


def test_a_key_that_one_metric_lacks_is_an_error_that_names_the_pool() -> None:
    with pytest.raises(ComponentError, match=r"b\.jsonl has no 'acc'(.|\n)*loss"):
        _ranking([{"acc": 1}, {"loss": 1}, {"acc": 2}], ranking_keys=["acc"]).run()


@pytest.mark.parametrize("missing", [None, "0.5", [1]])
def test_a_metric_that_is_no_number_is_an_error_that_names_the_pool(missing: Any) -> None:
    with pytest.raises(ComponentError, match=r"'acc' of b\.jsonl is .*, no number"):
        _ranking([{"acc": 1}, {"acc": missing}, {"acc": 2}], ranking_keys=["acc"]).run()
    with pytest.raises(ComponentError, match=r"the metric of b\.jsonl is .*, no number"):
        _ranking([1, missing, 2]).run()


def test_ranking_keys_for_plain_numbers_are_an_error() -> None:
    with pytest.raises(ComponentError, match=r"the metric of a\.jsonl is 1, in which ranking_keys find nothing"):
        _ranking([1, 2, 3], ranking_keys=["acc"]).run()


def test_metrics_that_do_not_match_the_pools_are_found_while_planning_and_at_run() -> None:
    ranking = _ranking([1, 2])
    [finding] = ranking.check()
    assert finding.loc == ("metrics",) and finding.message == "3 data pools but 2 metrics"
    with pytest.raises(ComponentError, match="3 data pools but 2 metrics"):
        ranking.run()


@pytest.mark.parametrize("settings", [{"metrics": []}, {"dataset_path": []}, {"top_n": 0}])
def test_empty_lists_and_no_places_are_refused_before_the_run(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataPoolRanking.Config(**{"dataset_path": POOLS, "metrics": [1, 2, 3], **settings})
