from __future__ import annotations

import itertools
import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from djsandbox.errors import SandboxError
from djsandbox.journal.keys import content_key


def test_the_order_of_mappings_does_not_matter_at_any_depth() -> None:
    one = {"a": 1, "b": {"c": [{"d": 1, "e": 2}], "f": None}}
    other = {"b": {"f": None, "c": [{"e": 2, "d": 1}]}, "a": 1}
    assert content_key(one) == content_key(other)


def test_different_things_have_different_keys() -> None:
    things: list[Any] = [
        *(1, 1.0, True, "1", "1.0", "True", None, "None", "null", 0, 0.0, -0.0, False, ""),
        *([], {}, [[]], [{}], [1, 2], [2, 1], ["1", "2"], ["1,2"], ['1","2'], [1, [2]], [[1], 2]),
        *(
            {"a": 1},
            {"a": 1.0},
            {"a": None},
            {"b": 1},
            {1: 1},
            {"1": 1},
            {True: 1},
            {1.0: 1},
            {"a": 1, "b": 2},
            {"a": {"b": 2}},
        ),
        *(math.nan, math.inf, "nan", 0.1, 0.1 + 2e-17, 2**53, float(2**53), 2**53 + 1),
    ]
    keys = [content_key({"x": thing}) for thing in things]
    for (one, its_key), (other, other_key) in itertools.combinations(zip(things, keys, strict=True), 2):
        assert its_key != other_key, (one, other)


def test_equal_things_of_other_types_have_equal_keys() -> None:
    class Colour(StrEnum):
        RED = "red"

    assert content_key({"x": Colour.RED}) == content_key({"x": "red"})
    assert content_key({"x": (1, 2)}) == content_key({"x": [1, 2]})
    np = pytest.importorskip("numpy")
    assert content_key({"x": np.float64(0.5)}) == content_key({"x": 0.5})


def test_a_key_is_the_same_in_another_process(run_python: Any) -> None:
    parts = {"text": "数据", "numbers": [1, 2.5, True], "nested": {"b": None, "a": "x"}}
    code = f"import json; from djsandbox.journal.keys import content_key; print(content_key(json.loads({json.dumps(parts)!r})))"
    assert run_python(code).strip() == content_key(parts)


def test_a_file_name_that_is_not_utf_8_has_a_key() -> None:
    assert content_key({"x": "\udcff"}) != content_key({"x": "\udcfe"})


@pytest.mark.parametrize(("thing", "kind"), [(Path("a"), "PosixPath"), ({1}, "set"), (b"x", "bytes"), (object(), "object")])
def test_what_is_not_plain_data_is_refused_with_its_place(thing: Any, kind: str) -> None:
    with pytest.raises(SandboxError, match=rf"parts\.config\.a\[1\].*{kind}"):
        content_key({"config": {"a": [0, thing]}})
    with pytest.raises(SandboxError, match=r"a key of parts\.config"):
        content_key({"config": {(1, 2): 0}})
