from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Stands for a torchrun-like launcher: two workers in sessions of their own, each with a child, one of them deaf to SIGTERM and
# with a daemon that nobody waits for. Every process says who it is; everybody waits for ever.
TREE = r"""
import os, signal, subprocess, sys, time

def say():
    os.write(1, f"pid {os.getpid()}\n".encode())

def wait():
    while True:
        time.sleep(60)

role = sys.argv[1]
if role == "launcher":
    os.write(1, f"supervisor {os.getppid()}\n".encode())
    say()
    for number in range(2):
        subprocess.Popen([sys.executable, __file__, f"worker{number}"], start_new_session=True)
elif role.startswith("worker"):
    say()
    subprocess.Popen(["sh", "-c", "echo pid $$; exec sleep 10000"])
    if role == "worker1":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                say()
                wait()
            os._exit(0)
        os.wait()
        os.write(1, b"deaf\n")
wait()
"""
TREE_SIZE = 6
FOREVER = 60.0
"""Seconds after which a test that waits has failed; none comes near it."""


@pytest.fixture
def tree(tmp_path: Path) -> tuple[str, ...]:
    """The argv of a launcher whose processes announce themselves: TREE_SIZE of them, then one line `deaf`."""
    script = tmp_path / "launcher.py"
    script.write_text(TREE)
    return (sys.executable, str(script), "launcher")


class Census:
    """Collects who announced itself, and does something when all have."""

    def __init__(self, then: Callable[[], object] | None = None, size: int = TREE_SIZE) -> None:
        self.pids: list[int] = []
        self.supervisor = 0
        self._deaf = self._called = False
        self._then = then
        self._size = size

    def __call__(self, line: str) -> None:
        word, _, number = line.partition(" ")
        if word == "pid":
            self.pids.append(int(number))
        elif word == "supervisor":
            self.supervisor = int(number)
        self._deaf = self._deaf or word == "deaf"
        if self.complete and not self._called:
            self._called = True
            if self._then is not None:
                self._then()

    @property
    def complete(self) -> bool:
        return len(self.pids) == self._size and self._deaf

    def left(self) -> list[int]:
        return [pid for pid in self.pids if exists(pid)]


@pytest.fixture
def census() -> Iterator[type[Census]]:
    """The class; what its objects have counted and a failing test has left is killed."""
    made: list[Census] = []

    class Counting(Census):
        def __init__(self, then: Callable[[], object] | None = None, size: int = TREE_SIZE) -> None:
            super().__init__(then, size)
            made.append(self)

    yield Counting
    for pid in (pid for one in made for pid in one.pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + FOREVER
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def becomes_true() -> Callable[[Callable[[], bool]], bool]:
    """Waits until something is so."""
    return eventually


@pytest.fixture
def process_exists() -> Callable[[int], bool]:
    return exists
