from pathlib import Path

import pytest
from djsandbox import ComponentConfig, InputPath, InputPaths, OutputPath, ReferencePath
from djsandbox.components.paths import path_uses, replace_paths
from pydantic import BaseModel, ValidationError


class Inner(BaseModel):
    path: InputPath
    plain: str = "p"


class Config(ComponentConfig):
    one: InputPath
    many: InputPaths = []
    maybe: ReferencePath | None = None
    named: dict[str, InputPath] = {}
    inner: Inner | None = None
    items: list[Inner] = []
    pair: tuple[str, OutputPath] | None = None
    out: OutputPath = "out"
    plain: str = "not a path"


FULL = Config(
    one="a",
    many=["b", "c"],
    maybe="d",
    named={"x": "e"},
    inner=Inner(path="f"),
    items=[Inner(path="g")],
    pair=("h", "i"),
)


def test_every_typed_path_is_found_wherever_it_is_nested_and_nothing_else() -> None:
    assert [(".".join(map(str, use.loc)), use.kind, use.value) for use in path_uses(FULL)] == [
        ("one", "input", "a"),
        ("many.0", "input", "b"),
        ("many.1", "input", "c"),
        ("maybe", "reference", "d"),
        ("named.x", "input", "e"),
        ("inner.path", "input", "f"),
        ("items.0.path", "input", "g"),
        ("pair.1", "output", "i"),
        ("out", "output", "out"),
    ]


def test_paths_can_be_replaced_without_touching_the_original() -> None:
    changed = replace_paths(FULL, lambda use: use.value.upper())
    assert [use.value for use in path_uses(changed)] == ["A", "B", "C", "D", "E", "F", "G", "I", "OUT"]
    assert [use.value for use in path_uses(FULL)] == ["a", "b", "c", "d", "e", "f", "g", "i", "out"]
    assert changed.pair == ("h", "I")
    assert changed.inner is not None
    assert (changed.plain, changed.inner.plain) == ("not a path", "p")


def test_a_list_of_one_serves_where_one_path_is_wanted() -> None:
    assert Config(one=["a"]).one == "a"
    with pytest.raises(ValidationError, match="takes one path, got 2"):
        Config(one=["a", "b"])


def test_one_path_serves_where_a_list_is_wanted() -> None:
    assert Config(one="a", many="b").many == ["b"]
    assert Config(one=Path("a"), many=Path("b")).many == ["b"]


def test_a_config_is_frozen_and_refuses_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FULL.one = "z"
    with pytest.raises(ValidationError, match="Extra inputs"):
        Config(one="a", onne="b")
