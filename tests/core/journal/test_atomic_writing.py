from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
from djsandbox.journal.atomic import write_atomically

WRITER = """
from djsandbox.journal.atomic import write_atomically
print("ready", flush=True)
while True:
    for letter in "ab":
        write_atomically({path!r}, letter * 1_000_000)
"""


def test_text_and_bytes_are_written_and_replace_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    write_atomically(file, "数据")
    assert file.read_text(encoding="utf-8") == "数据"
    write_atomically(str(file), b"\0\1")
    assert file.read_bytes() == b"\0\1"
    assert os.listdir(tmp_path) == ["context.json"]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "new \udcff")
    (tmp_path / "folder" / "in_the_way").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", "new")
    assert file.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["context.json", "folder"]


def test_the_file_can_be_read_by_whom_an_ordinary_file_could(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_text("")
    write_atomically(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_reader_sees_only_whole_files_even_when_the_writer_is_killed(
    tmp_path: Path, start_python: Callable[[str], Popen[str]]
) -> None:
    file = tmp_path / "big"
    write_atomically(file, "a" * 1_000_000)
    writer = start_python(WRITER.format(path=str(file)))
    for _ in range(20):
        assert file.read_text() in ("a" * 1_000_000, "b" * 1_000_000)
    writer.kill()
    writer.wait()
    assert file.read_text() in ("a" * 1_000_000, "b" * 1_000_000)
