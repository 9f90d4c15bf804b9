from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.cli.main import call
from djsandbox.envs import EnvRecipe, environment_for
from djsandbox.envs.lock import FileLock, is_held, shared
from djsandbox.envs.store import Store, busy_file
from djsandbox.errors import SandboxError

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


def test_whoever_asks_whether_an_environment_is_in_use_keeps_nobody_from_holding_it(
    tmp_path: Path, becomes_true: Callable[[Callable[[], bool]], bool]
) -> None:
    path = tmp_path / "busy"
    asking = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_EX)  # as `is_held` has it for a moment
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with shared(path):
            holding.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert not holding.wait(0.3)
        os.close(asking)
        assert becomes_true(holding.is_set)
        assert is_held(path)
    finally:
        done.set()
        thread.join()
    assert not is_held(path)


def test_gc_keeps_what_somebody_begins_to_use_while_it_is_at_work_and_removes_the_rest(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], becomes_true: Callable[[Callable[[], bool]], bool]
) -> None:
    caplog.set_level("INFO", "djsandbox.envs")
    store = Store()
    keys = ("a-0123456789ab", "b-0123456789ab", "c-0123456789ab")
    broken = {key: store.finish(key, store.begin(key), {}) for key in keys}
    codes: list[int] = []
    gc = threading.Thread(target=lambda: codes.append(call(["envs", "gc", "--json"])))
    with store.lock(keys[0]):
        gc.start()
        assert becomes_true(lambda: f"waiting for the environment {keys[0]}" in caplog.text)
        busy = os.open(busy_file(broken[keys[1]].folder), os.O_RDWR)
        fcntl.flock(busy, fcntl.LOCK_SH)
    gc.join()
    os.close(busy)
    printed = capsys.readouterr()
    assert codes == [0]
    assert json.loads(printed.out) == {"removed": [keys[0], keys[2]], "would_remove": [], "kept": [keys[1]]}
    assert f"kept: the environment {keys[1]} is in use" in printed.err
    assert [entry.key for entry in store.entries()] == [keys[1]]


def test_an_environment_that_vanishes_before_it_is_held_is_said_to_be_gone(
    recipe: Callable[..., EnvRecipe], store: Path
) -> None:
    found = environment_for(recipe("alpha"))
    assert found.held is not None
    shutil.rmtree(found.held.parent)
    with pytest.raises(SandboxError, match="was removed at this moment"), found.in_use():
        pass


def test_a_list_of_environments_does_without_those_that_vanish_meanwhile(
    recipe: Callable[..., EnvRecipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = environment_for(recipe("alpha==1.0")), environment_for(recipe("alpha==2.0"))
    store = Store()
    find = Store.find

    def vanishing(self: Store, key: str) -> Any:
        if key == gone.key:
            shutil.rmtree(gone.path.parent)
            (store.links / key).unlink()
        return find(self, key)

    monkeypatch.setattr(Store, "find", vanishing)
    assert [entry.key for entry in store.entries()] == [kept.key]
    shutil.rmtree(store.folder)
    assert store.entries() == [] and list(store.leftovers()) == []
