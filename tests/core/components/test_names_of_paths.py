from __future__ import annotations

import pytest
from djsandbox import unique_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.jsonl", "b/y.jsonl"], ["x", "y"]),
        (["a/x.jsonl", "b/x.jsonl"], ["a_x", "b_x"]),
        (["/r/1/a/x.jsonl", "/r/2/a/x.jsonl"], ["1_a_x", "2_a_x"]),
        (["x.jsonl", "a/x.jsonl"], ["x", "a_x"]),
        (["a/x.jsonl", "a/x.jsonl"], ["a_x", "a_x_2"]),
        (["b/x.jsonl", "a/x.jsonl", "b_x.jsonl"], ["b_x", "a_x", "b_x_2"]),
        (["./a/x.jsonl"], ["x"]),
        (["a/1/x.json", "b/1/x.json", "c/2/x.json"], ["a_1_x", "b_1_x", "2_x"]),
        (["/x.json", "/a/x.json"], ["x", "a_x"]),
        (["data.v1.jsonl"], ["data.v1"]),
        ([], []),
    ],
)
def test_a_path_is_called_by_as_much_of_it_as_tells_it_from_the_others(paths: list[str], names: list[str]) -> None:
    assert unique_names(paths) == names


def test_the_name_of_a_folder_may_have_dots() -> None:
    assert unique_names(["m/v1.0", "m/v1.5"], keep_suffix=True) == ["v1.0", "v1.5"]
    assert unique_names(["a/v1.0", "b/v1.0"], keep_suffix=True) == ["a_v1.0", "b_v1.0"]
    assert unique_names(["a.b", "a.b", "c"], keep_suffix=True) == ["a.b", "a.b_2", "c"]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["in/a.jsonl", "in/b.jsonl"], ["a", "b"]),
        (["x/pool.jsonl", "y/pool.jsonl"], ["x_pool", "y_pool"]),
        (["x/pool.jsonl", "y/pool.jsonl", "y/other.jsonl"], ["x_pool", "y_pool", "other"]),
        (["x/in/pool.jsonl", "y/in/pool.jsonl"], ["x_in_pool", "y_in_pool"]),
        (["x/pool.jsonl", "x/pool.jsonl"], ["pool", "pool_2"]),
        (["x/pool.jsonl", "x/pool.json"], ["pool", "pool_2"]),
        (["x/pool.jsonl", "x/pool.jsonl", "x/pool_2.jsonl"], ["pool", "pool_3", "pool_2"]),
        (["x/pool.jsonl", "y/pool.jsonl", "z/x_pool.jsonl"], ["x_pool", "y_pool", "x_pool_2"]),
        (["x/data.v1.jsonl"], ["data.v1"]),
        (["a/1/x.json", "b/1/x.json", "c/2/x.json"], ["a_1_x", "b_1_x", "c_2_x"]),
        ([], []),
    ],
)
def test_alike_all_paths_of_one_name_get_equally_many_folders(paths: list[str], names: list[str]) -> None:
    assert unique_names(paths, alike=True) == names


def test_alike_names_do_not_depend_on_how_a_path_is_spelled() -> None:
    one = unique_names(["./x/pool.jsonl", "y/pool.jsonl"], alike=True)
    assert one == unique_names(["x/pool.jsonl", "./y/pool.jsonl"], alike=True)


@pytest.mark.parametrize("options", [{}, {"keep_suffix": True}, {"alike": True}, {"alike": True, "keep_suffix": True}])
def test_no_two_names_are_the_same_whatever_the_paths(options: dict[str, bool]) -> None:
    paths = ["x", "x", "x_2", "x_2", "x.2", "a/x", "a_x", "/a/x", "../x", "./x", "b/a/x", "b_a_x"]
    names = unique_names(paths, **options)
    assert len(set(names)) == len(paths) and not any("/" in name for name in names)
