from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.envs.lock import FileLock, is_held

HOLD = """
import os, sys, time
from pathlib import Path
from djsandbox.envs.lock import FileLock
with FileLock(Path(sys.argv[1]), "it"):
    if sys.argv[2] == "fork" and os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    elif sys.argv[2] != "fork":
        print("ready", flush=True)
    sys.stdin.read()
"""


def holder(path: Path, how: str) -> tuple[subprocess.Popen[str], str]:
    argv = [sys.executable, "-c", HOLD, str(path), how]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_lock_is_waited_for_and_the_log_says_for_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, becomes_true: Callable[[Callable[[], bool]], bool]
) -> None:
    caplog.set_level("INFO", "djsandbox.envs")
    path = tmp_path / "deep" / "a.lock"
    process, _ = holder(path, "stay")
    got = threading.Event()

    def take() -> None:
        with FileLock(path, "the environment x"):
            got.set()

    assert is_held(path)
    waiting = threading.Thread(target=take)
    waiting.start()
    said = f"waiting for the environment x, which process {process.pid} is making"
    assert becomes_true(lambda: said in caplog.text)
    assert not got.is_set()
    process.communicate("")
    waiting.join()
    assert got.is_set() and not is_held(path)


def test_kill_9_gives_the_lock_back(tmp_path: Path) -> None:
    process, _ = holder(tmp_path / "a.lock", "stay")
    process.kill()
    process.communicate()
    assert not is_held(tmp_path / "a.lock")


def test_a_forked_worker_that_outlives_its_parent_does_not_keep_the_lock(tmp_path: Path) -> None:
    process, worker = holder(tmp_path / "a.lock", "fork")
    try:
        assert is_held(tmp_path / "a.lock")
        process.kill()
        process.wait()
        assert not is_held(tmp_path / "a.lock")
    finally:
        os.kill(int(worker), signal.SIGKILL)
        process.communicate()
