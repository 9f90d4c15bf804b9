from __future__ import annotations

import math
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from djsandbox import ComponentError
from djsandbox_pools import jsonlines
from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.writing import PoolWriter


def _file(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("scan_bytes", [1, 3, 1 << 26])
@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'{"a": 1}\n{"a": 2}',
        b'{"a": 1}\r\n{"a": 2}\r\n',
        b'{"a": 1}\r\n{"a": 2}',
        b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n',
        b'\n\n{"a": 1}\n\r\n \t\n{"a": 2}\n\n\n',
        b'  {"a": 1} \n\t{"a": 2}\t\r\n',
    ],
    ids=["plain", "no last end", "crlf", "crlf, no last end", "byte-order mark", "blank lines", "spaces around"],
)
def test_rows_are_found_however_the_lines_end(tmp_path: Path, content: bytes, scan_bytes: int, monkeypatch) -> None:
    monkeypatch.setattr(jsonlines, "_SCAN_BYTES", scan_bytes)
    rows = JsonLines(_file(tmp_path, content))
    assert list(rows.rows()) == [b'{"a": 1}', b'{"a": 2}']
    assert list(rows.objects()) == [{"a": 1}, {"a": 2}]


def test_rows_come_in_the_order_asked_for_and_as_often(tmp_path: Path) -> None:
    rows = JsonLines(_file(tmp_path, b'{"a":0}\n{"a":1}\n{"a":2}\n'))
    assert list(rows.rows(np.array([2, 0, 2]))) == [b'{"a":2}', b'{"a":0}', b'{"a":2}']


def test_line_separators_inside_a_string_do_not_end_a_row(tmp_path: Path) -> None:
    row = '{"text": "a\u2028b\u2029c\u0085d\\ne"}'.encode()
    assert list(JsonLines(_file(tmp_path, row + b"\n")).rows()) == [row]


def test_nan_infinity_and_lone_surrogates_are_parsed(tmp_path: Path) -> None:
    [row] = JsonLines(_file(tmp_path, b'{"a": NaN, "b": -Infinity, "c": "\\ud800"}')).objects()
    assert math.isnan(row["a"]) and row["b"] == -math.inf and row["c"] == "\ud800"


@pytest.mark.parametrize("content", [b"", b"\n\n", b" \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_file_without_rows_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ComponentError, match=r"pool\.jsonl has no rows"):
        JsonLines(_file(tmp_path, content))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"absent\.jsonl does not exist"):
        JsonLines(str(tmp_path / "absent.jsonl"))
    with pytest.raises(ComponentError, match="is a folder"):
        JsonLines(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"a": 1}]', "line 1 of .* is not a JSON object"),
        (b"\x1f\x8b\x08\x00", "line 1 of .* is not a JSON object"),
        (b'{"a": 1}\n\n"text"\n', "line 3 of .* is not a JSON object"),
        (b'{"a": 1}\n{"a": "cut of', "line 2 of .* is not a whole JSON object"),
    ],
    ids=["array", "gzip", "a string", "cut off"],
)
def test_what_is_not_one_object_a_line_is_found_at_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        JsonLines(_file(tmp_path, content))


def test_invalid_json_is_found_at_its_line_when_rows_are_parsed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(jsonlines, "_SCAN_BYTES", 5)
    rows = JsonLines(_file(tmp_path, b'{"a": 1}\n\n{"a": }\n'))
    with pytest.raises(ComponentError, match=r"line 3 of .*pool\.jsonl is not valid JSON"):
        list(rows.objects())


def test_a_file_that_grows_after_it_was_indexed_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, b'{"a": 1}\n')
    rows = JsonLines(path)
    with Path(path).open("ab") as file:
        file.write(b'{"a": 2}\n')
    with pytest.raises(ComponentError, match="changed while it was read"):
        list(rows.rows())


def test_a_large_file_is_streamed_not_held(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(jsonlines, "_SCAN_BYTES", 1 << 18)
    row = b'{"text": "' + b"x" * 10_000 + b'"}\n'
    source = _file(tmp_path, row * 2_000)
    tracemalloc.start()
    try:
        PoolWriter([source]).write(tmp_path / "copy.jsonl", JsonLines(source).rows(np.arange(1999, -1, -1)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "copy.jsonl").stat().st_size == 2_000 * len(row)
    assert peak < 4_000_000, "of 20 MB, only the write buffer, a row and the offsets are held"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files through /proc")
def test_an_indexed_file_is_not_kept_open(tmp_path: Path) -> None:
    path = _file(tmp_path, b'{"a": 1}\n')
    before = len(os.listdir("/proc/self/fd"))
    kept = [JsonLines(path) for _ in range(5)]
    assert [list(rows.rows()) for rows in kept] and len(os.listdir("/proc/self/fd")) == before


def test_a_pool_whose_writing_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def breaking_off():
        yield b'{"a": 1}'
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PoolWriter([]).write(tmp_path / "out" / "pool.jsonl", breaking_off())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_pool_whose_writing_breaks_off_leaves_the_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "pool.jsonl"
    target.write_text("earlier\n")

    def breaking_off():
        yield b'{"a": 1}'
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PoolWriter([]).write(target, breaking_off())
    assert target.read_text() == "earlier\n"


def test_a_pool_is_not_visible_under_its_name_until_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "pool.jsonl"
    seen = []

    def watching():
        yield b'{"a": 1}'
        seen.append(target.exists())
        yield b'{"a": 2}'

    PoolWriter([]).write(target, watching())
    assert seen == [False] and target.read_text() == '{"a": 1}\n{"a": 2}\n'


def test_an_export_path_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ComponentError, match=r"cannot write the data pool .*file/pool\.jsonl"):
        PoolWriter([]).write(tmp_path / "file" / "pool.jsonl", [b"{}"])


def test_a_source_is_never_overwritten_not_even_through_a_link(tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    source.write_text('{"a": 1}\n')
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ComponentError, match="would be overwritten"):
        PoolWriter([str(source)]).write(tmp_path / "link" / "source.jsonl", [b"{}"])
    assert source.read_text() == '{"a": 1}\n'
