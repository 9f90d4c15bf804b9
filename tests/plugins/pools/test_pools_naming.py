from __future__ import annotations

import pytest
from djsandbox_pools.naming import common_prefix, file_safe, numbered, unique_names


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
    ],
)
def test_every_path_gets_a_name_of_its_own(paths: list[str], names: list[str]) -> None:
    assert unique_names(paths) == names


def test_names_do_not_depend_on_how_a_path_is_spelled() -> None:
    assert unique_names(["./x/pool.jsonl", "y/pool.jsonl"]) == unique_names(["x/pool.jsonl", "./y/pool.jsonl"])


def test_the_common_prefix_is_taken_letter_by_letter_from_the_names() -> None:
    assert common_prefix(["x/coco_len_0.jsonl", "y/coco_lang_2.jsonl"]) == "coco_l"
    assert common_prefix(["x/coco.jsonl", "x/coco_2.jsonl"]) == "coco"
    assert common_prefix(["x/a.jsonl", "x/b.jsonl"]) == ""
    assert common_prefix(["x/a.jsonl"]) == "a"


def test_a_name_from_the_data_cannot_leave_its_folder() -> None:
    assert file_safe("../../etc/passwd") == ".._.._etc_passwd"
    assert file_safe("..") == "__" and file_safe("") == "_" and file_safe("a/b:c\n") == "a_b_c_"
    assert numbered(["a_b", "a_b", "c"]) == ["a_b", "a_b_2", "c"]
