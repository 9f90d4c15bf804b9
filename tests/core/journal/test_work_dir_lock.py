from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.errors import ConfigError
from djsandbox.journal.lock import WorkDirLock

HOLD = """
import sys
from djsandbox.journal.lock import WorkDirLock
{before}
with WorkDirLock({work_dir!r}):
    {inside}
    print("ready", flush=True)
    sys.stdin.read()
"""


def holder(work_dir: Path, *, before: str = "", inside: str = "pass") -> str:
    return HOLD.format(work_dir=str(work_dir), before=before, inside=inside)


def test_a_second_run_is_told_who_has_the_work_dir_and_what_to_do(
    tmp_path: Path, start_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    process = start_python(holder(tmp_path / "work"))
    with pytest.raises(ConfigError) as caught, WorkDirLock(tmp_path / "work"):
        pass
    assert f"process {process.pid}" in str(caught.value)
    assert str(tmp_path / "work") in str(caught.value)
    assert "--work_dir" in str(caught.value)


def test_kill_9_gives_the_work_dir_back(tmp_path: Path, start_python: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start_python(holder(tmp_path))
    process.kill()
    process.wait()
    with WorkDirLock(tmp_path):
        pass


def test_a_program_that_the_run_had_started_does_not_keep_the_lock(
    tmp_path: Path, start_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    inside = f"""child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL, close_fds=False
    )
    open({str(tmp_path / "child")!r}, "w").write(str(child.pid))"""
    process = start_python(holder(tmp_path, before="import subprocess", inside=inside))
    child = int((tmp_path / "child").read_text())
    try:
        process.kill()
        process.wait()
        os.kill(child, 0)
        with WorkDirLock(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)


FORK_A_WORKER = """
    read_end, write_end = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.write(write_end, b"x")
        os.close(1)
        time.sleep(600)
        os._exit(0)
    os.read(read_end, 1)
    open({note!r}, "w").write(str(worker))
"""


def test_a_forked_worker_that_outlives_the_run_does_not_keep_the_lock(
    tmp_path: Path, start_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    note = tmp_path / "worker"
    process = start_python(holder(tmp_path, before="import os, time", inside=FORK_A_WORKER.format(note=str(note)).strip()))
    worker = int(note.read_text())
    try:
        process.kill()
        process.wait()
        os.kill(worker, 0)
        with WorkDirLock(tmp_path):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_forked_worker_that_unwinds_its_stack_does_not_give_the_lock_back(tmp_path: Path) -> None:
    with WorkDirLock(tmp_path) as lock:
        worker = os.fork()
        if worker == 0:
            lock.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(worker, 0)
        with pytest.raises(ConfigError, match=f"process {os.getpid()} "), WorkDirLock(tmp_path):
            pass


def test_a_work_dir_can_be_locked_again_after_its_release(tmp_path: Path) -> None:
    lock = WorkDirLock(tmp_path)
    for _ in range(2):
        with lock:
            assert str(os.getpid()) in lock.path.read_text()
    assert lock.path.read_text() == ""


def test_a_deleted_lock_file_does_not_break_the_next_run(tmp_path: Path) -> None:
    with WorkDirLock(tmp_path):
        pass
    (tmp_path / ".lock").unlink()
    with WorkDirLock(tmp_path), pytest.raises(ConfigError), WorkDirLock(tmp_path):
        pass


def test_a_work_dir_that_cannot_be_created_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for work_dir in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="cannot write to the work_dir") as caught, WorkDirLock(work_dir):
            pass
        assert "--work_dir" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_work_dir_without_write_permission_is_a_config_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot write to the work_dir"), WorkDirLock(tmp_path):
        pass


def test_a_file_system_without_locks_is_said_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING, logger="djsandbox"), WorkDirLock(tmp_path):
        pass
    assert "cannot lock files (No locks available)" in caplog.text
