from __future__ import annotations

import json
import logging
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from djsandbox import DECIDED_AT_RUN, ComponentError
from djsandbox_pools.construction import DataPoolConstruction
from pydantic import ValidationError

STATS = "__dj__stats__"


def _construct(source: Any, export: Path, **settings: Any) -> list[str]:
    config = DataPoolConstruction.Config(dataset_path=source, export_path=str(export), **settings)
    return DataPoolConstruction(config).run()


def _analyzed(values: list[Any], stat: str = "score") -> list[dict[str, Any]]:
    return [{"id": index, STATS: {stat: value}} for index, value in enumerate(values)]


def _reference(rows: list[dict[str, Any]], stats: list[str], ratios: list[float]) -> dict[str, list[list[int]]]:
    """The splits, said as plainly as can be: one list of rows, sorted again by each statistic."""

    def number(row: dict[str, Any], stat: str) -> float:
        value = row[STATS][stat]
        return (sum(value) / len(value) if value else 0) if isinstance(value, list) else value

    rows, splits = list(rows), {}
    bounds = [0, *(int(len(rows) * ratio + 0.5) for ratio in ratios), len(rows)]
    for stat in stats:
        rows.sort(key=lambda row: number(row, stat))
        splits[stat] = [[row["id"] for row in rows[low:high]] for low, high in pairwise(bounds)]
    return splits


@pytest.mark.parametrize("seed", range(6))
def test_pools_are_those_of_a_plain_sort_ties_included(seed: int, pool, ids, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows = [
        {
            "id": index,
            STATS: {
                "many_ties": chance.randint(0, 3),
                "tags": chance.choice([["a"], []]),
                "lists": [chance.randint(0, 8) for _ in range(chance.choice([0, 1, 2, 4]))],
                "language": "en",
                "halves": chance.randint(-5, 5) / 2,
                "flag": chance.random() < 0.5,
            },
        }
        for index in range(chance.randint(5, 120))
    ]
    ratios = sorted(chance.sample([0.2, 0.35, 0.5, 0.65, 0.8], k=2))
    expected = _reference(rows, ["many_ties", "lists", "halves", "flag"], ratios)
    paths = _construct(pool("data.jsonl", rows), tmp_path / "out", split_ratios=ratios)
    assert [ids(path) for path in paths] == [part for parts in expected.values() for part in parts]


def test_the_default_is_thirds_named_by_statistic_dataset_and_part(pool, ids, tmp_path: Path) -> None:
    paths = _construct(pool("coco.jsonl", _analyzed([9, 1, 8, 2, 7, 3])), tmp_path / "out")
    assert paths == [str(tmp_path / "out" / "score" / f"coco_score_{part}.jsonl") for part in range(3)]
    assert [ids(path) for path in paths] == [[1, 3], [5, 4], [2, 0]]


def test_cuts_are_rounded_half_up(pool, ids, tmp_path: Path) -> None:
    paths = _construct(pool("a.jsonl", _analyzed(list(range(5)))), tmp_path / "out", split_ratios=[0.5])
    assert [ids(path) for path in paths] == [[0, 1, 2], [3, 4]]


def test_ratios_may_be_fractions_in_words(pool, ids, tmp_path: Path) -> None:
    source = pool("a.jsonl", _analyzed(list(range(8))))
    in_words = _construct(source, tmp_path / "words", split_ratios=["1/4", "3/4"])
    in_numbers = _construct(source, tmp_path / "numbers", split_ratios=[0.25, 0.75])
    assert [ids(path) for path in in_words] == [ids(path) for path in in_numbers] == [[0, 1], [2, 3, 4, 5], [6, 7]]


def test_split_num_wins_over_split_ratios(pool, ids, tmp_path: Path) -> None:
    paths = _construct(pool("a.jsonl", _analyzed([4, 3, 2, 1, 0])), tmp_path / "out", split_num=2, split_ratios=[0.5])
    assert [ids(path) for path in paths] == [[4, 3], [2, 1], [0]]


def test_ignore_stats_splits_in_the_order_of_the_file_and_needs_no_statistics(pool, ids, tmp_path: Path) -> None:
    rows = [{"id": index} for index in (5, 3, 4, 1)]
    paths = _construct(pool("prompts.jsonl", rows), tmp_path / "out", ignore_stats=True, split_num=1)
    assert paths == [str(tmp_path / "out" / f"prompts_ignore_stats_{part}.jsonl") for part in range(4)]
    assert [ids(path) for path in paths] == [[5], [3], [4], [1]]


def test_rows_are_written_byte_for_byte(pool, lines, tmp_path: Path) -> None:
    rows = [
        '{"id":1, "f": 0.1234567890123456789, "e":1E5 ,"day":"2024-01-31","images":["img/1.jpg"],"__dj__stats__": {"s": 2}}',
        '{"id": 2,"text":"\\u4e2d \u4e2d \\/ \\ud83d\\ude00","big":123456789012345678901234567890,"__dj__stats__":{"s":1.50}}',
    ]
    low, high = _construct(pool("a.jsonl", rows), tmp_path / "out", split_ratios=["1/2"])
    assert lines(low) == [rows[1]] and lines(high) == [rows[0]]


def test_rows_without_a_number_are_in_none_of_that_statistics_pools_and_counted(pool, ids, tmp_path: Path, caplog) -> None:
    source = pool("a.jsonl", [*_analyzed([3, None, float("nan"), 1, [None], 2]), {"id": 6}, {"id": 7, STATS: {}}])
    with caplog.at_level(logging.WARNING):
        paths = _construct(source, tmp_path / "out")
    assert [ids(path) for path in paths] == [[3], [5], [0]]
    assert "5 rows have no 'score'" in caplog.text


def test_rows_left_out_of_one_statistic_are_in_the_pools_of_the_next(pool, ids, tmp_path: Path) -> None:
    rows = [{"id": index, STATS: {"a": a, "b": index}} for index, a in enumerate([None, 1, 0, None])]
    paths = _construct(pool("data.jsonl", rows), tmp_path / "out", split_ratios=[0.5])
    assert [ids(path) for path in paths] == [[2], [1], [0, 1], [2, 3]]


def test_statistics_that_are_text_or_never_a_number_are_not_split_by(pool, tmp_path: Path) -> None:
    stats = {"lang": "en", "tags": ["x"], "empty": [], "none": None, "nested": [[1]], "parts": {"a": 1}}
    rows = [{"id": index, STATS: {**stats, "score": index}} for index in range(6)]
    rows[0][STATS] |= {"tags": [], "lang": 1, "nested": 1.5}
    paths = _construct(pool("a.jsonl", rows), tmp_path / "out")
    assert {Path(path).parent.name for path in paths} == {"score"}


def test_a_statistic_with_fewer_numbers_than_parts_makes_no_empty_pools(pool, tmp_path: Path, caplog) -> None:
    rows = [{"id": index, STATS: {"score": index, "rare": 1 if index == 0 else None}} for index in range(6)]
    paths = _construct(pool("a.jsonl", rows), tmp_path / "out")
    assert {Path(path).parent.name for path in paths} == {"score"}
    assert "not split by 'rare': only 1 rows have it" in caplog.text


def test_statistics_come_in_the_order_in_which_they_first_appear(pool, tmp_path: Path) -> None:
    stats = [{"b": None, "a": 1}, {"a": 2, "b": 1, "c": 1}, {"c": 2, "b": 2}]
    rows = [{"id": index, STATS: values} for index, values in enumerate(stats)]
    paths = _construct(pool("data.jsonl", rows), tmp_path / "out", split_ratios=[0.5])
    assert [Path(path).parent.name for path in paths] == ["b", "b", "a", "a", "c", "c"]


def test_a_statistics_name_cannot_lead_out_of_the_export_path(pool, tmp_path: Path) -> None:
    rows = [{"id": index, STATS: {"../up": index, ".._up": index}} for index in range(3)]
    paths = _construct(pool("a.jsonl", rows), tmp_path / "out")
    assert {Path(path).parent for path in paths} == {tmp_path / "out" / ".._up", tmp_path / "out" / ".._up_2"}


def test_equal_names_in_two_folders_do_not_overwrite_each_other(pool, ids, tmp_path: Path) -> None:
    sources = [pool("x/pool.jsonl", _analyzed([0, 1])), pool("y/pool.jsonl", _analyzed([1, 0]))]
    paths = _construct(sources, tmp_path / "out", split_ratios=[0.5])
    assert [Path(path).name for path in paths] == [f"{name}_pool_score_{part}.jsonl" for name in "xy" for part in (0, 1)]
    assert [ids(path) for path in paths] == [[0], [1], [1], [0]]


def test_a_dataset_without_statistics_is_an_error_that_says_to_analyze_it(pool, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"a\.jsonl have no statistics(.|\n)*analyze"):
        _construct(pool("a.jsonl", [{"id": 1}]), tmp_path / "out")


def test_statistics_without_any_number_are_an_error_that_names_them(pool, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"none of its statistics \(lang\)"):
        _construct(pool("a.jsonl", _analyzed(["en", "de"], "lang")), tmp_path / "out")


def test_one_missing_dataset_among_several_stops_the_job_before_it_writes(pool, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"absent\.jsonl does not exist"):
        _construct([pool("a.jsonl", _analyzed([1, 2, 3])), str(tmp_path / "absent.jsonl")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_parts_than_rows_is_an_error_that_counts_both(pool, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="has 1 rows, too few for 3 pools"):
        _construct(pool("a.jsonl", [{"id": 1}]), tmp_path / "out", ignore_stats=True)


@pytest.mark.parametrize(
    ("ratios", "message"),
    [
        ([0.5, 0.25], "must ascend"),
        ([0.5, "1/2"], "must ascend"),
        ([0, 0.5], "not between 0 and 1"),
        ([1.0], "not between 0 and 1"),
        (["3/2"], "not between 0 and 1"),
        ([-0.1], "not between 0 and 1"),
        (["1/0"], "no ratio"),
        (["a third"], "no ratio"),
        ([float("nan")], "no ratio"),
        ([True], "no ratio"),
        ([], "at least 1 item"),
    ],
)
def test_ratios_that_make_no_parts_are_refused_before_the_run(ratios: list[Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataPoolConstruction.Config(dataset_path="a.jsonl", export_path="out", split_ratios=ratios)


def test_split_num_must_be_positive() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        DataPoolConstruction.Config(dataset_path="a.jsonl", export_path="out", split_num=0)


def test_paths_are_planned_where_ratios_alone_decide_them(pool, tmp_path: Path) -> None:
    source = pool("a.jsonl", [{"id": index} for index in range(4)])
    settings = {"dataset_path": source, "export_path": str(tmp_path / "out")}
    planned = DataPoolConstruction(DataPoolConstruction.Config(**settings, ignore_stats=True))
    assert planned.planned_outputs() == planned.run()
    for undecided in ({}, {"ignore_stats": True, "split_num": 2}):
        component = DataPoolConstruction(DataPoolConstruction.Config(**settings, **undecided))
        assert component.planned_outputs() is DECIDED_AT_RUN


def test_running_again_writes_the_same_bytes(pool, tmp_path: Path) -> None:
    source = pool("a.jsonl", _analyzed([random.Random(1).random() for _ in range(30)]))
    first = [Path(path).read_bytes() for path in _construct(source, tmp_path / "out")]
    assert [Path(path).read_bytes() for path in _construct(source, tmp_path / "out")] == first
    assert sum((json.loads(line) != {} for part in first for line in part.splitlines()), 0) == 30
