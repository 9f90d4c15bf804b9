from __future__ import annotations

import datetime as dt
import json
import math
import sys
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import pytest
from djsandbox.errors import SandboxError
from djsandbox.journal.values import TAG, decode, encode


def through_json(value: Any, frames: Path | None = None) -> Any:
    text = json.dumps(encode(value, name="res_0", frames=frames), allow_nan=False)
    return decode(json.loads(text), frames=frames)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        0.1,
        "数据",
        "line\nbreak\u2028",
        [],
        {},
        [1, [2, {"a": None}]],
        Path("out/数据.jsonl"),
        Path("/"),
        {"paths": [Path("a"), {"b": Path("c")}]},
        dt.datetime(2026, 11, 22, 10, 30, 1, 5),
        dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=8))),
        dt.date(2026, 11, 22),
        math.inf,
        -math.inf,
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = through_json(value)
    assert back == value
    assert type(back) is type(value) or isinstance(value, Path)


def test_nan_comes_back_as_nan() -> None:
    assert math.isnan(through_json({"a": [math.nan]})["a"][0])


@pytest.mark.parametrize(
    "value",
    [
        {TAG: "path"},
        {TAG: "path", "value": "x"},
        {TAG: None},
        {TAG: {TAG: "mapping", "value": {}}, "a": Path("b")},
        {"deep": [{TAG: "float", "value": "nan"}]},
    ],
)
def test_a_mapping_that_contains_our_own_tag_comes_back_as_it_was(value: Any) -> None:
    assert through_json(value) == value


def test_tuples_and_other_mappings_come_back_as_lists_and_dicts() -> None:
    point = namedtuple("point", "x y")(1, (2, 3))
    assert through_json({"p": point, "m": OrderedDict(b=1)}) == {"p": [1, [2, 3]], "m": {"b": 1}}


def test_integer_keys_become_text() -> None:
    assert through_json({0: "a", "b": {7: 1}}) == {"0": "a", "b": {"7": 1}}


def test_a_number_and_its_text_as_keys_of_one_mapping_are_refused() -> None:
    with pytest.raises(SandboxError, match=r"'res_0'.*key 1 twice"):
        encode({1: "a", "1": "b"}, name="res_0")


@pytest.mark.parametrize("key", [True, 1.5, None, (1, 2), Path("a")])
def test_a_key_that_is_neither_text_nor_integer_is_refused_with_the_output_and_its_place(key: Any) -> None:
    with pytest.raises(SandboxError, match=r"'ranking' at \.best"):
        encode({"best": {key: 1}}, name="ranking")


class Model:
    pass


@pytest.mark.parametrize(
    ("value", "kind"),
    [(b"x", "bytes"), ({1}, "set"), (1j, "complex"), (Model(), r"test_journal_values\.Model"), (len, "builtin_function")],
)
def test_anything_else_is_refused_naming_the_output_its_place_and_the_type(value: Any, kind: str) -> None:
    with pytest.raises(SandboxError, match=rf"'model' at \.a\[1\]: it is a .*{kind}"):
        encode({"a": [0, value]}, name="model")


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(SandboxError, match=r"'res_0'.*contains itself"):
        encode(loop, name="res_0")


def test_a_kind_that_only_a_newer_release_knows_is_an_error_and_no_guess() -> None:
    with pytest.raises(SandboxError, match="unknown kind 'tensor'"):
        decode({TAG: "tensor", "value": 1})


def test_numpy_scalars_become_python_numbers_and_arrays_lists() -> None:
    np = pytest.importorskip("numpy")
    value = {
        "f": np.float32(0.5),
        "i": np.int64(3),
        "b": np.bool_(True),
        "s": np.str_("x"),
        "nan": np.float64("nan"),
        "long": np.longdouble(2),
        "a": np.array([[1, 2], [3, 4]]),
        "zero_d": np.array(7),
        "mixed": np.array([np.int64(1), "x", None], dtype=object),
        np.int64(5): 1,
    }
    back = through_json(value)
    assert math.isnan(back.pop("nan"))
    assert back == {
        "f": 0.5,
        "i": 3,
        "b": True,
        "s": "x",
        "long": 2.0,
        "a": [[1, 2], [3, 4]],
        "zero_d": 7,
        "mixed": [1, "x", None],
        "5": 1,
    }
    assert [type(back[key]) for key in ("f", "i", "b", "s")] == [float, int, bool, str]


def test_numpy_times_become_datetimes_whatever_their_unit() -> None:
    np = pytest.importorskip("numpy")
    assert through_json(np.datetime64("2026-11-22T10:00:00", "ns")) == dt.datetime(2026, 11, 22, 10)
    with pytest.raises(SandboxError, match="timedelta64"):
        encode(np.timedelta64(1, "s"), name="res_0")


def test_a_data_frame_comes_back_from_its_parquet_file(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"mean": [1.5, float("nan")], "name": ["a", None], "n": [1, 2]}, index=["text_len", "words"])
    back = through_json({"overall": frame}, frames=tmp_path / "frames")["overall"]
    pd.testing.assert_frame_equal(back, frame)
    assert [path.suffix for path in (tmp_path / "frames").iterdir()] == [".parquet"]


@pytest.mark.parametrize("name", [None, "loss", 3, dt.datetime(2026, 1, 1)])
def test_a_series_comes_back_with_its_name(name: Any, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    series = pd.Series([1, 2], index=["a", "b"], name=name)
    pd.testing.assert_series_equal(through_json(series, frames=tmp_path), series)


def test_two_frames_of_one_output_do_not_overwrite_each_other(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    back = through_json([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})], frames=tmp_path)
    assert [int(frame["a"].iloc[0]) for frame in back] == [1, 2]


def test_a_frame_that_would_not_come_back_as_it_was_is_refused(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    for frame in (pd.DataFrame({1: [1], "b": [2]}), pd.DataFrame({"m": [1, "a", {}]})):
        with pytest.raises(SandboxError, match=r"'stats'.*parquet"):
            encode(frame, name="stats", frames=tmp_path)


def test_a_frame_whose_file_is_gone_or_changed_is_an_error(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    data = encode(pd.DataFrame({"a": [1]}), name="res_0", frames=tmp_path)
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(SandboxError, match="missing or has been changed"):
        decode(data, frames=tmp_path)
    file.unlink()
    with pytest.raises(SandboxError, match="missing or has been changed"):
        decode(data, frames=tmp_path)


def test_a_frame_without_pyarrow_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip("pandas")
    for module in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SandboxError, match=r"'res_0'.*pyarrow"):
        encode(pd.DataFrame({"a": [1]}), name="res_0", frames=tmp_path)


def test_a_time_that_is_not_a_time_is_refused() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(SandboxError, match="NaTType"):
        encode(pd.NaT, name="res_0")


def test_plain_values_import_neither_numpy_nor_pandas(run_python: Any) -> None:
    run_python(
        "import sys; from djsandbox.journal.values import decode, encode\n"
        "decode(encode({'a': [1, 2.5, 'x']}, name='res_0'))\n"
        "assert not {'numpy', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
