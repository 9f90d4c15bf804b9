from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from djsandbox.errors import SandboxError
from djsandbox.journal.fingerprint import Fingerprints, snapshot, stamp

HOUR = 3600


def written(path: Path, text: str, *, age: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if age:
        past = time.time() - age
        os.utime(path, (past, past))
    return path


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an hour pass: a ctime cannot be set back."""
    now = time.time_ns
    monkeypatch.setattr("djsandbox.journal.fingerprint.time.time_ns", lambda: now() + HOUR * 10**9)


def hashed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    read: list[str] = []
    real = hashlib.file_digest

    def digest(file, name):
        read.append(Path(file.name).name)
        return real(file, name)

    monkeypatch.setattr("djsandbox.journal.fingerprint.hashlib.file_digest", digest)
    return read


def test_a_file_has_the_hash_of_its_bytes_wherever_it_lies(tmp_path: Path) -> None:
    one = written(tmp_path / "a.txt", "text")
    other = written(tmp_path / "deep" / "b.txt", "text")
    prints = Fingerprints()
    assert prints.of(one) == prints.of(str(other)) == "sha256:" + hashlib.sha256(b"text").hexdigest()


def test_a_changed_byte_changes_the_hash_even_with_size_and_mtime_kept(tmp_path: Path) -> None:
    prints = Fingerprints()
    file = written(tmp_path / "a.txt", "text", age=HOUR)
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    before = prints.of(file)
    file.write_text("tesT")
    os.utime(file, ns=times)
    assert prints.of(file) != before


def test_a_restored_mtime_does_not_hide_a_change_from_a_settled_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "a.txt", "text", age=HOUR)
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    settle(monkeypatch)
    prints = Fingerprints()
    before = prints.of(file)
    tick = tmp_path / "tick"
    while written(tick, "").stat().st_ctime_ns <= file.stat().st_ctime_ns:
        pass  # the clock that ctimes are taken from moves in steps of some milliseconds
    file.write_text("tesT")
    os.utime(file, ns=times)
    assert prints.of(file) != before


def test_a_settled_file_is_read_once_and_then_known_from_the_cache_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "a.txt", "text")
    settle(monkeypatch)
    read = hashed_files(monkeypatch)
    prints = Fingerprints(tmp_path / "cache" / "prints.json")
    first = prints.of(file)
    assert prints.of(file) == first
    prints.save()
    assert Fingerprints(tmp_path / "cache" / "prints.json").of(file) == first
    assert read == ["a.txt"]


def test_a_file_written_just_now_is_never_answered_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "a.txt", "text")
    read = hashed_files(monkeypatch)
    prints = Fingerprints(tmp_path / "prints.json")
    prints.of(file)
    prints.of(file)
    prints.save()
    Fingerprints(tmp_path / "prints.json").of(file)
    assert read == ["a.txt"] * 3


def test_a_replaced_or_touched_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "a.txt", "text")
    settle(monkeypatch)
    prints = Fingerprints()
    before = prints.of(file)
    written(tmp_path / "b.txt", "new!").replace(file)
    assert prints.of(file) != before


@pytest.mark.parametrize("content", ["", "{", '{"version": 99, "files": {}}', '{"version": 1, "files": {"/a": [1]}}', "[]"])
def test_a_cache_file_that_cannot_be_used_is_ignored_and_replaced(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = written(tmp_path / "prints.json", content)
    file = written(tmp_path / "a.txt", "text")
    settle(monkeypatch)
    prints = Fingerprints(cache)
    prints.of(file)
    prints.save()
    assert list(json.loads(cache.read_text())["files"]) == [str(file)]


def test_saving_forgets_files_that_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    cache = tmp_path / "prints.json"
    prints = Fingerprints(cache)
    gone, stays = written(tmp_path / "gone", "1"), written(tmp_path / "stays", "2")
    prints.of(gone)
    prints.of(stays)
    gone.unlink()
    prints.save()
    assert list(json.loads(cache.read_text())["files"]) == [str(stays)]


def make_folder(root: Path) -> Path:
    written(root / "a.txt", "1")
    written(root / ".hidden", "2")
    written(root / "sub" / "b.txt", "3")
    (root / "empty").mkdir()
    return root


def test_folders_of_equal_content_have_equal_fingerprints(tmp_path: Path) -> None:
    prints = Fingerprints()
    assert prints.of(make_folder(tmp_path / "one")) == prints.of(make_folder(tmp_path / "two"))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "sub" / "b.txt").write_text("4"),
        lambda root: (root / ".hidden").write_text("other"),
        lambda root: (root / ".hidden").unlink(),
        lambda root: (root / "a.txt").rename(root / "c.txt"),
        lambda root: (root / "a.txt").rename(root / "sub" / "a.txt"),
        lambda root: (root / "new").write_text(""),
        lambda root: (root / "empty").rmdir(),
        lambda root: (root / "broken").symlink_to("nowhere"),
    ],
)
def test_any_change_in_a_folder_changes_its_fingerprint(change, tmp_path: Path) -> None:
    root = make_folder(tmp_path / "root")
    prints = Fingerprints()
    before = prints.of(root)
    change(root)
    assert prints.of(root) != before


def test_a_symbolic_link_counts_as_what_it_points_to(tmp_path: Path) -> None:
    target = written(tmp_path / "data.txt", "1")
    linked, plain = tmp_path / "linked", tmp_path / "plain"
    linked.mkdir()
    (linked / "a.txt").symlink_to(target)
    written(plain / "a.txt", "1")
    prints = Fingerprints()
    assert prints.of(linked) == prints.of(plain)
    target.write_text("2")
    assert prints.of(linked) != prints.of(plain)


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "root")
    (root / "sub" / "up").symlink_to("..")
    assert Fingerprints().of(root).startswith("sha256:")
    assert len(snapshot(root)) == 3


def test_a_pipe_is_refused_by_itself_and_not_read_in_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SandboxError, match="neither a file nor a folder"):
        Fingerprints().of(tmp_path / "pipe")
    assert Fingerprints().of(tmp_path).startswith("sha256:")


def test_a_missing_path_is_a_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Fingerprints().of(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        stamp(tmp_path / "nothing")


def test_a_snapshot_tells_which_files_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(Path("out"))
    before = snapshot("./out")
    assert set(before) == {"./out/a.txt", "./out/.hidden", "./out/sub/b.txt"}
    Path("out/sub/b.txt").write_text("longer than before")
    Path("out/new.txt").write_text("x")
    after = snapshot("./out")
    assert {path for path in after if after[path] != before.get(path)} == {"./out/sub/b.txt", "./out/new.txt"}


def test_a_snapshot_of_a_file_has_that_file_and_of_nothing_nothing(tmp_path: Path) -> None:
    file = written(tmp_path / "a.txt", "1")
    assert snapshot(str(file)) == {str(file): stamp(file)}
    assert snapshot(tmp_path / "nothing") == {}
    assert snapshot(file / "below") == {}
