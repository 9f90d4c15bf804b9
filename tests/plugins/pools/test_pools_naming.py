from __future__ import annotations

from djsandbox_pools.naming import common_prefix, file_safe


def test_the_common_prefix_is_taken_letter_by_letter_from_the_names() -> None:
    assert common_prefix(["x/coco_len_0.jsonl", "y/coco_lang_2.jsonl"]) == "coco_l"
    assert common_prefix(["x/coco.jsonl", "x/coco_2.jsonl"]) == "coco"
    assert common_prefix(["x/a.jsonl", "x/b.jsonl"]) == ""
    assert common_prefix(["x/a.jsonl"]) == "a"


def test_a_name_from_the_data_cannot_leave_its_folder() -> None:
    assert file_safe("../../etc/passwd") == ".._.._etc_passwd"
    assert file_safe("..") == "__" and file_safe("") == "_" and file_safe("a/b:c\n") == "a_b_c_"
