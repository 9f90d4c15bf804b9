from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_pools.cartesian_join import DataPoolCartesianJoin
from djsandbox_pools.merging import DataPoolMerging


def _merging(sources: Any, export: Path) -> DataPoolMerging:
    return DataPoolMerging(DataPoolMerging.Config(dataset_path=sources, export_path=str(export)))


def _join(first: Any, second: Any, export: Path) -> DataPoolCartesianJoin:
    config = DataPoolCartesianJoin.Config(dataset_path_1=first, dataset_path_2=second, export_path=str(export))
    return DataPoolCartesianJoin(config)


def test_pools_are_merged_one_after_the_other_byte_for_byte(pool, lines, tmp_path: Path) -> None:
    rows = ['{"f":0.12345678901234567,"day":"2024-01-31"}', '{"images": ["img/1.jpg"]}', '{"other": [ 1 ]}']
    sources = [pool("part_1.jsonl", rows[:2]), pool("part_2.jsonl", rows[2:])]
    component = _merging(sources, tmp_path / "out")
    assert component.planned_outputs() == component.run() == [str(tmp_path / "out" / "part__merged.jsonl")]
    assert lines(str(tmp_path / "out" / "part__merged.jsonl")) == rows


def test_a_pool_without_a_last_line_end_does_not_run_into_the_next(tmp_path: Path) -> None:
    for name, content in (("a", b'{"a": 1}'), ("b", b'\xef\xbb\xbf{"b": 2}\r\n\r\n')):
        (tmp_path / f"{name}.jsonl").write_bytes(content)
    [merged] = _merging([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")], tmp_path / "out").run()
    assert Path(merged).name == "default_prefix_merged.jsonl"
    assert Path(merged).read_bytes() == b'{"a": 1}\n{"b": 2}\n'


def test_an_export_path_that_ends_in_jsonl_is_the_merged_file_itself(pool, ids, tmp_path: Path) -> None:
    target = tmp_path / "merged" / "new_prompts.jsonl"
    component = _merging([pool("a.jsonl", [{"id": 1}]), pool("b.jsonl", [{"id": 2}])], target)
    assert component.planned_outputs() == component.run() == [str(target)]
    assert target.is_file() and ids(str(target)) == [1, 2]


def test_a_merged_file_never_replaces_one_of_its_parts(pool, lines, tmp_path: Path) -> None:
    sources = [pool("a.jsonl", [{"id": 1}]), pool("b.jsonl", [{"id": 2}])]
    with pytest.raises(ComponentError, match=r"b\.jsonl is read by this job"):
        _merging(sources, tmp_path / "b.jsonl").run()
    assert lines(sources[1]) == ['{"id": 2}']


def test_a_folder_in_the_place_of_the_merged_file_is_named(pool, tmp_path: Path) -> None:
    (tmp_path / "new.jsonl").mkdir()
    with pytest.raises(ComponentError, match=r"cannot write the data pool .*new\.jsonl"):
        _merging(pool("a.jsonl", [{"id": 1}]), tmp_path / "new.jsonl").run()
    assert not list((tmp_path / "new.jsonl").iterdir()) and not list(tmp_path.glob(".*.part"))


def test_every_row_is_joined_with_every_row_the_first_pool_outermost(pool, lines, tmp_path: Path) -> None:
    prompts = pool("prompt_1.jsonl", [{"p": 1}, {"p": 2}])
    questions = pool("question.jsonl", [{"q": 1}, {"q": 2}, {"q": 3}])
    [path] = _join(prompts, questions, tmp_path / "out").run()
    assert Path(path).name == "prompt_1_question_cartesian_join_0_0.jsonl"
    assert [json.loads(line) for line in lines(path)] == [{"p": p, "q": q} for p in (1, 2) for q in (1, 2, 3)]


def test_every_pool_of_the_first_set_is_joined_with_every_one_of_the_second(pool, lines, tmp_path: Path) -> None:
    firsts = [pool(f"m_{name}.jsonl", [{"m": name}]) for name in "ab"]
    seconds = [pool(f"n_{name}.jsonl", [{"n": name}]) for name in "xyz"]
    component = _join(firsts, seconds, tmp_path / "out")
    paths = component.run()
    assert component.planned_outputs() == paths
    assert [Path(path).name for path in paths] == [f"m__n__cartesian_join_{i}_{j}.jsonl" for i in range(2) for j in range(3)]
    assert [json.loads(lines(path)[0]) for path in paths] == [{"m": m, "n": n} for m in "ab" for n in "xyz"]


def test_pools_without_any_common_prefix_get_the_default_one(pool, tmp_path: Path) -> None:
    firsts, seconds = ([pool(f"{name}.jsonl", [{name: 1}]) for name in names] for names in ("ab", "cd"))
    names = [Path(path).name for path in _join(firsts, seconds, tmp_path / "out").run()]
    assert names[0] == "default_prefix_cartesian_join_0_0.jsonl"


def test_joined_values_are_the_bytes_they_were(pool, lines, tmp_path: Path) -> None:
    first = pool("a.jsonl", ['{ "f": 0.12345678901234567 , "t":"}{\\u4e2d" }'])
    second = pool("b.jsonl", ['{"day":"2024-01-31","e":1E5}'])
    [path] = _join(first, second, tmp_path / "out").run()
    assert lines(path) == ['{ "f": 0.12345678901234567 , "t":"}{\\u4e2d", "day":"2024-01-31","e":1E5}']


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ("{}", '{"b": 1}', {"b": 1}),
        ('{"a": 1}', "{ }", {"a": 1}),
        ("{ }", "{}", {}),
        ('{"a": 1}', '{"b": 1}', {"a": 1, "b": 1}),
    ],
)
def test_empty_rows_join_to_valid_json(left: str, right: str, joined: dict[str, int], pool, lines, tmp_path: Path) -> None:
    [path] = _join(pool("l.jsonl", [left]), pool("r.jsonl", [right]), tmp_path / "out").run()
    assert [json.loads(line) for line in lines(path)] == [joined]


def test_a_key_on_both_sides_is_an_error_that_names_it(pool, tmp_path: Path) -> None:
    first = pool("a.jsonl", [{"a": 1, "text": "x"}])
    second = pool("b.jsonl", [{"b": 1}, {"b": 1, "text": "y"}])
    with pytest.raises(ComponentError, match="both sides of the join have the keys text"):
        _join(first, second, tmp_path / "out").run()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("side", [0, 1])
def test_a_missing_pool_on_either_side_is_named(side: int, pool, tmp_path: Path) -> None:
    sides = [pool("a.jsonl", [{"a": 1}]), pool("b.jsonl", [{"b": 1}])]
    sides[side] = str(tmp_path / "absent.jsonl")
    with pytest.raises(ComponentError, match=r"absent\.jsonl does not exist"):
        _join(*sides, tmp_path / "out").run()
