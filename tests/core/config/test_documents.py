from pathlib import Path

import pytest
from djsandbox.config.document import dump_yaml, parse_document, read_document
from djsandbox.errors import ConfigError


def test_every_value_knows_its_line() -> None:
    document = parse_document("a: 1\nb:\n  c: [x, y]\n  d:\n    - e: 5\n", "f.yaml")
    assert str(document.at(("b", "c"))) == "f.yaml:3"
    assert str(document.at(("b", "d", 0, "e"))) == "f.yaml:5"


def test_a_value_without_a_place_of_its_own_has_that_of_what_is_around_it() -> None:
    document = parse_document("a:\n  b: 1\n", "f.yaml")
    assert str(document.at(("a", "missing", "deeper"))) == "f.yaml:1"


def test_a_part_keeps_the_lines_of_the_whole() -> None:
    document = parse_document("a:\n  b:\n    c: 1\n", "f.yaml").part(("a", "b"))
    assert document.data == {"c": 1}
    assert str(document.at(("c",))) == "f.yaml:3"


@pytest.mark.parametrize(("text", "value"), [("3e-4", 3e-4), ("1E5", 1e5), ("-2.5e+3", -2500.0), (".5e1", 5.0)])
def test_scientific_notation_is_a_number_as_in_json(text: str, value: float) -> None:
    assert parse_document(f"x: {text}", "f").data == {"x": value}


@pytest.mark.parametrize("text", ["1e", "e5", "v1e5", "12"])
def test_what_only_looks_like_scientific_notation_is_left_alone(text: str) -> None:
    assert parse_document(f"x: {text}", "f").data["x"] in (text, 12)


def test_a_key_written_twice_is_refused_where_it_stands_again() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:3: the key 'a' stands twice, first in line 1"):
        parse_document("a: 1\nb: 2\na: 3\n", "f.yaml")


def test_a_merged_mapping_may_be_overridden() -> None:
    assert parse_document("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  a: 3\n", "f").data["y"] == {"a": 3, "b": 2}


def test_yaml_errors_name_the_line() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:3: not valid YAML"):
        parse_document("a: 1\nb: [1, 2\nc: }", "f.yaml")


@pytest.mark.parametrize("text", ["a:\n  b: 1\n\tc: 2\n", "a:\n  - 1\n  \t- 2\n", "a:\n\n\tb: 1\n", "a: |\n    x\n\ty\n"])
def test_a_tab_that_should_indent_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:3: not valid YAML: tabs cannot indent\n    use spaces"):
        parse_document(text, "f.yaml")


def test_a_tab_that_is_not_the_fault_is_not_blamed() -> None:
    assert parse_document("a: [1,\n\t2]\nb:\t3  \t# c\n", "f").data == {"a": [1, 2], "b": 3}
    with pytest.raises(ConfigError, match="did not find expected"):
        parse_document("b: {c:\n\td: 1}\n", "f.yaml")


def test_python_objects_are_not_made() -> None:
    with pytest.raises(ConfigError, match="is not allowed"):
        parse_document("a: !!python/object/apply:os.getcwd []", "f.yaml")
    with pytest.raises(ConfigError, match="not valid YAML"):
        parse_document("a: !!python/name:os.getcwd x", "f.yaml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cannot read .*binary\.yaml"):
        read_document(file)


def test_json_with_tabs_and_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": {"b": [1, 2.5e-3, null]}}')
    assert read_document(file).data == {"a": {"b": [1, 0.0025, None]}}


@pytest.mark.parametrize(
    "text", ["3e-4", "1E5", ".5e3", "1e+5", "yes", "null", "0x10", "2020-01-01", "12:30", " a", "- b", "a: b"]
)
def test_a_text_that_looks_like_something_else_is_a_text_when_it_is_read_again(text: str) -> None:
    assert parse_document(dump_yaml({"a": text, text: [text]}), "f").data == {"a": text, text: [text]}


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\ufeff", "\x00", "\r", "\n", "\t", "\x7f", "\U0001f600"])
def test_every_character_is_itself_when_it_is_read_again(mark: str) -> None:
    data = {"a": mark, "b": [f"{mark}a", f"a{mark}", f"a{mark} b: c"]}
    assert parse_document(dump_yaml(data), "f").data == data


@pytest.mark.parametrize("number", [1e5, 1e-7, 1e22, 1.5e300, float("inf"), -0.0, 3.0, 10**30, True, None])
def test_a_number_is_itself_when_it_is_read_again(number: object) -> None:
    assert repr(parse_document(dump_yaml({"a": number}), "f").data["a"]) == repr(number)
