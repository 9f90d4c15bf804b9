"""A copy of a result is a file of its own, whether the file system can share its blocks or not."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from djsandbox.engine.cloning import copy


def shares_blocks(folder: Path) -> bool:
    """Whether the file system of `folder` can clone files."""
    (folder / "a").write_text("x")
    with (folder / "a").open("rb") as one, (folder / "b").open("wb") as other:
        try:
            fcntl.ioctl(other, 0x40049409, one.fileno())
        except OSError as error:
            assert error.errno in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS)
            return False
    return True


def test_a_file_has_its_content_mode_and_time_in_the_new_place(tmp_path: Path) -> None:
    source, target = tmp_path / "a.sh", tmp_path / "deep" / "er" / "b.sh"
    source.write_bytes(b"\0" * 100_000 + b"end")
    source.chmod(0o750)
    os.utime(source, (1, 2))
    copy(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert (target.stat().st_mode & 0o777, target.stat().st_mtime) == (0o750, 2)


def test_writing_into_the_copy_leaves_the_source_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("abc")
    copy(source, target)
    with target.open("r+") as file:
        file.write("X")
    assert (source.read_text(), target.read_text()) == ("abc", "Xbc")


def test_a_longer_file_in_the_way_is_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("abc")
    target.write_text("a longer one")
    copy(source, target)
    assert target.read_text() == "abc"


def test_a_folder_is_copied_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("abc")
    (tmp_path / "a" / "empty").touch()
    copy(tmp_path / "a", tmp_path / "new")
    found = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*")}
    assert found == {"b", "b/c", "empty"}
    assert (tmp_path / "new" / "b" / "c").read_text() == "abc"


def test_a_copy_takes_no_room_where_the_file_system_can_share_blocks(tmp_path: Path) -> None:
    if not shares_blocks(tmp_path):
        pytest.skip("this file system cannot share blocks")
    size = 64 * 2**20
    (tmp_path / "big").write_bytes(os.urandom(size))
    os.sync()
    before = os.statvfs(tmp_path).f_bavail
    copy(tmp_path / "big", tmp_path / "copy")
    os.sync()
    statistics = os.statvfs(tmp_path)
    assert (before - statistics.f_bavail) * statistics.f_frsize < size / 2
