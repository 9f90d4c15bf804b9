"""The default data connector makes a `datasets.Dataset` of what the sandbox has, from what is here and nothing else."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import json
import lzma
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseModelExecutor, JobContext
from djsandbox.errors import ComponentError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="needs the package datasets")

ROWS = [{"text": "a", "label": 1}, {"text": "b", "label": 2}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


class Executor(BaseModelExecutor):
    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> None:
        """Nothing."""


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The connector of an executor in a job, where nothing answers."""

    def refuse(*_: Any) -> None:
        raise AssertionError("it asked for something from outside")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    context = JobContext(cache_dir=tmp_path / "work dir [1]" / "cache")
    return Executor(Executor.Config()).attach(context).data_connector


def rows_of(dataset: Any) -> list[dict[str, Any]]:
    import datasets

    assert isinstance(dataset, datasets.Dataset)
    return list(dataset)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- files -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.json", LINES),
        ("list.json", json.dumps(ROWS)),
        ("pretty.json", json.dumps(ROWS, indent=2)),
        ("a.csv", "text,label\na,1\nb,2\n"),
        ("a.tsv", "text\tlabel\na\t1\nb\t2\n"),
        ("A.JSONL", LINES),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.csv.bz2", bz2.compress(b"text,label\na,1\nb,2\n")),
        ("a.json.xz", lzma.compress(LINES.encode())),
        ("with.dots.in.it.jsonl", LINES),
        ("it's [1] * a? {pool}.jsonl", LINES),
        (".hidden/__x__/a.jsonl", LINES),
        ("config.json", LINES),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_by_its_suffix_whatever_its_name(
    tmp_path: Path, connect: Callable[..., Any], name: str, content: str | bytes, kind: type
) -> None:
    assert rows_of(connect(kind(write(tmp_path / "data" / name, content)))) == ROWS


def test_a_file_that_zstandard_has_compressed_is_read(tmp_path: Path, connect: Callable[..., Any]) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = write(tmp_path / "a.jsonl.zst", zstandard.ZstdCompressor().compress(LINES.encode()))
    assert rows_of(connect(path)) == ROWS


def test_a_parquet_file_is_read(tmp_path: Path, connect: Callable[..., Any]) -> None:
    import datasets

    datasets.Dataset.from_list(ROWS).to_parquet(tmp_path / "a.parquet")
    assert rows_of(connect(tmp_path / "a.parquet")) == ROWS


def test_lines_of_a_text_file_are_rows(tmp_path: Path, connect: Callable[..., Any]) -> None:
    assert rows_of(connect(write(tmp_path / "a.txt", "one\ntwo\n"))) == [{"text": "one"}, {"text": "two"}]


def test_a_relative_path_is_one_of_our_folder(
    tmp_path: Path, connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.jsonl", LINES)
    monkeypatch.chdir(tmp_path)
    assert rows_of(connect("a.jsonl")) == rows_of(connect("./a.jsonl")) == ROWS


def test_a_list_of_paths_is_all_of_their_rows_in_its_order(tmp_path: Path, connect: Callable[..., Any]) -> None:
    paths = [
        write(tmp_path / "2.jsonl", '{"text": "two"}\n'),
        write(tmp_path / "1.jsonl", '{"text": "one"}\n'),
        write(tmp_path / "0.txt", "zero\n"),
        write(tmp_path / "empty.jsonl", ""),
        write(tmp_path / "3.jsonl", '{"text": "three"}\n'),
    ]
    assert [row["text"] for row in rows_of(connect(paths))] == ["two", "one", "zero", "three"]


def test_a_folder_is_its_files_by_their_names(tmp_path: Path, connect: Callable[..., Any]) -> None:
    write(tmp_path / "data/b/2.jsonl.gz", gzip.compress(b'{"text": "two"}\n'))
    write(tmp_path / "data/a/1.jsonl", '{"text": "one"}\n')
    write(tmp_path / "data/README.md", "no data")
    write(tmp_path / "data/.cache/3.csv", "text\nthree\n")
    assert rows_of(connect(tmp_path / "data")) == [{"text": "one"}, {"text": "two"}]


def test_a_folder_that_datasets_has_saved_is_read(tmp_path: Path, connect: Callable[..., Any]) -> None:
    import datasets

    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    write(tmp_path / "more.jsonl", LINES)
    assert rows_of(connect(tmp_path / "saved")) == ROWS
    assert rows_of(connect([tmp_path / "more.jsonl", tmp_path / "saved"])) == ROWS * 2


def test_options_are_those_of_the_reader(tmp_path: Path, connect: Callable[..., Any]) -> None:
    path = write(tmp_path / "a.csv", "text;label\na;1\nb;2\n")
    assert rows_of(connect(path, sep=";")) == ROWS
    assert rows_of(connect(write(tmp_path / "a.json", json.dumps({"data": ROWS})), field="data")) == ROWS
    with pytest.raises(TypeError, match="no_such"):
        connect(path, no_such=1)


def test_a_file_that_was_changed_is_read_again_even_if_it_claims_to_be_as_old_as_before(
    tmp_path: Path, connect: Callable[..., Any]
) -> None:
    path = write(tmp_path / "a.jsonl", LINES)
    before = path.stat()
    assert rows_of(connect(path)) == ROWS
    write(path, LINES.replace("b", "c"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [row["text"] for row in rows_of(connect(path))] == ["a", "c"]


def test_what_datasets_keeps_lies_in_the_cache_of_the_run(tmp_path: Path, connect: Callable[..., Any]) -> None:
    dataset = connect(write(tmp_path / "a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)))
    cache = tmp_path / "work dir [1]" / "cache" / "datasets"
    assert all(Path(file["filename"]).is_relative_to(cache) for file in dataset.cache_files)
    assert dataset.cache_files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl.gz", "work dir [1]"]


# -- rows --------------------------------------------------------------------------------------------------------------------


def generated() -> Iterator[dict[str, Any]]:
    yield from ROWS


@pytest.mark.parametrize("rows", [ROWS, tuple(ROWS), generated()], ids=["list", "tuple", "generator"])
def test_rows_are_taken_as_they_are(connect: Callable[..., Any], rows: Any) -> None:
    assert rows_of(connect(rows)) == ROWS


def test_a_key_that_only_later_rows_have_is_not_lost(connect: Callable[..., Any]) -> None:
    assert rows_of(connect([{"a": 1}, {"b": "x"}])) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_no_rows_are_an_empty_dataset(connect: Callable[..., Any]) -> None:
    assert rows_of(connect([])) == []


def test_a_data_frame_is_its_rows_without_its_index(connect: Callable[..., Any]) -> None:
    pandas = pytest.importorskip("pandas")
    assert rows_of(connect(pandas.DataFrame(ROWS, index=["x", "y"]))) == ROWS


def test_a_dataset_is_given_back_as_it_is(connect: Callable[..., Any]) -> None:
    import datasets

    dataset = datasets.Dataset.from_list(ROWS)
    assert connect(dataset) is dataset


# -- what cannot be read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"a": 1}\nnot json\n', r"a.jsonl \(JSON\) cannot be made a dataset: JSON parse error"),
        ("a.jsonl", "", "there are no rows in .*a.jsonl"),
        ("a.json", "[]", "there are no rows in it"),
        ("a.csv", "text,label\n", "there are no rows in it"),
        ("a.parquet", "no parquet", r"a.parquet \(Parquet\) cannot be made a dataset"),
        ("a.jsonl.gz", "not compressed", "a.jsonl.gz"),
        ("a.md", "# text", r"a.md is of no kind that can be read\n    known: .jsonl, .json, .csv"),
        ("a", "text", "is of no kind"),
        ("folder/a.md", "text", "the folder .*folder holds no data"),
        ("folder/dataset_dict.json", '{"splits": ["test"]}', "folder holds several splits\n    give the folder of one of them"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(
    tmp_path: Path, connect: Callable[..., Any], name: str, content: str, message: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(ComponentError, match=message):
        connect(tmp_path / "folder" if name.startswith("folder") else path)


def test_a_name_that_is_no_file_is_not_looked_for_elsewhere(connect: Callable[..., Any]) -> None:
    with pytest.raises(ComponentError, match=r"there is no file or folder squad\n    .*nothing is downloaded"):
        connect("squad")


def test_a_folder_with_files_of_several_kinds_is_not_guessed_about(tmp_path: Path, connect: Callable[..., Any]) -> None:
    write(tmp_path / "data/a.jsonl", LINES)
    write(tmp_path / "data/a.csv", "text\na\n")
    with pytest.raises(ComponentError, match="several kinds: CSV, JSON\n    name the files"):
        connect(tmp_path / "data")


@pytest.mark.parametrize("data", [None, 3, b"a.jsonl", {"text": ["a"]}])
def test_what_is_no_data_is_refused(connect: Callable[..., Any], data: Any) -> None:
    with pytest.raises(ComponentError, match=f"a value of type '{type(data).__name__}' is no data"):
        connect(data)


def test_a_row_that_is_none_is_named_by_its_number(connect: Callable[..., Any]) -> None:
    with pytest.raises(ComponentError, match="row 2 is a value of type 'int'"):
        connect([{"a": 1}, 2])


def test_where_datasets_is_not_installed_it_is_said_how_to_get_it(
    connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ComponentError, match=r'pip install "djsandbox\[datasets\]"'):
        connect(ROWS)


def test_datasets_is_imported_only_when_data_is_connected() -> None:
    code = "import sys, djsandbox; djsandbox.BaseModelExecutor; assert 'datasets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
