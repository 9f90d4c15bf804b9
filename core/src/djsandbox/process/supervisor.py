"""The process between us and a command, which ends the command's whole tree when it is time, or when we are gone.

It runs as a script of its own, with nothing but the standard library, in a new session. On Linux it is a child subreaper:
whatever the command starts stays its descendant, also what makes a session of its own or outlives its parent, so that the
tree has ended exactly when there is no child left to wait for. Elsewhere it knows the command's process group only.

Standard input brings one line of JSON (what to run) and then single bytes: `T` stops the tree, `K` kills it at once. Its end,
or a new parent of this process, means that the engine is gone, and stops the tree. The file descriptor given as the only
argument takes one line of JSON when the command has started, or could not be, and one when all has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SETTLE = 1.0
"""Seconds in which what a command leaves behind may end by itself."""
GIVE_UP = 10.0
"""Seconds after the first SIGKILL in which processes that do not vanish (stuck in the kernel) are waited for."""
_TICK = 0.02
_LOOK_UP = 0.5


class NotStartedError(Exception):
    """The command could not be started: error number, and whether it was its folder (`cwd`) or the program (`exec`)."""


def main() -> None:
    """Run what standard input says, until all of it has ended."""
    status = int(sys.argv[1])
    os.set_inheritable(status, False)
    line, orders = read_request(0)
    if line is None:
        return  # the engine died before it had said what to run
    request = json.loads(line)
    hold(request["held"])
    signals = listen_to_signals()
    has_all = become_subreaper()
    try:
        task = spawn(request)
    except NotStartedError as failure:
        tell(status, errno=failure.args[0], at=failure.args[1])
        return
    tell(status, pid=task)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # the engine reads until nobody can write any more
    os.dup2(nowhere, 2)
    supervision = Supervision(task, request, orders, signals, has_all)
    left = supervision.until_over()
    tell(status, returncode=supervision.returncode, ended_by=supervision.ended_by, left=left)


def read_request(source: int) -> tuple[bytes | None, bytes]:
    """The first line, None where the stream ends before it does, and what came after it."""
    received = b""
    while b"\n" not in received:
        data = os.read(source, 65_536)
        if not data:
            return None, b""
        received += data
    line, _, rest = received.partition(b"\n")
    return line, rest


def hold(path: str | None) -> None:
    """Keep a shared lock on the file at `path` until this process ends: whoever gets it alone knows that the tree has ended."""
    if path is not None:
        with contextlib.suppress(OSError):  # its folder is gone, or knows no locks
            fd = os.open(path.encode("latin-1"), os.O_RDWR | os.O_CREAT, 0o666)  # stays open; an exec closes it
            fcntl.flock(fd, fcntl.LOCK_SH)


def become_subreaper() -> bool:
    """Whether this process now inherits its orphaned descendants and can see them."""
    if sys.platform != "linux" or not os.path.exists("/proc/self/stat"):
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def listen_to_signals() -> int:
    """A file descriptor that gets a byte, its number, for each signal that matters to us."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return reading


def spawn(request: dict[str, Any]) -> int:
    """Start the command in a process group of its own and return its process id; raises NotStartedError."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    argv = [text.encode("latin-1") for text in request["argv"]]
    env = {name.encode("latin-1"): value.encode("latin-1") for name, value in request["env"].items()}
    supervisor = os.getpid()
    reading, writing = os.pipe()  # closed by a successful exec
    task = os.fork()
    if task == 0:
        at = "exec"
        try:
            os.setpgid(0, 0)
            if prctl is not None:  # should we be killed, at least the command itself goes, too
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != supervisor:
                    os._exit(1)
            for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by Python, and that would be inherited
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            at = "cwd"
            os.chdir(request["cwd"].encode("latin-1"))
            at = "exec"
            os.execvpe(argv[0], argv, env)  # noqa: S606 - the point is that there is no shell
        except OSError as error:
            os.write(writing, f"{error.errno} {at}".encode())
        finally:
            os._exit(127)
    os.close(writing)
    failure = b"".join(iter(lambda: os.read(reading, 100), b""))
    os.close(reading)
    if failure:
        os.waitpid(task, 0)
        code, at = failure.decode().split()
        raise NotStartedError(int(code), at)
    return task


class Supervision:
    """Waits for a command and its descendants, and ends them when there is a reason to."""

    def __init__(self, task: int, request: dict[str, Any], orders: bytes, signals: int, has_all: bool) -> None:
        self.returncode: int | None = None
        self.ended_by = "itself"
        self._task = task
        self._engine = request["engine"]
        self._grace = request["grace"]
        self._timeout_at = time.monotonic() + request["timeout"] if request["timeout"] is not None else None
        self._settled_at: float | None = None
        self._kill_at: float | None = None
        self._killed_at: float | None = None
        self._stop = self._at_once = False
        self._has_all = has_all
        self._signals = signals
        self._poll = select.poll()
        self._poll.register(0, select.POLLIN)
        self._poll.register(signals, select.POLLIN)
        self._obey(orders)

    def until_over(self) -> list[int]:
        """Returns when all have ended; the processes that could not be, in the end."""
        while self._some_left():
            now = time.monotonic()
            if self._killed_at is not None and now > self._killed_at + GIVE_UP:
                return self._members()
            self._act(now)
            self._sleep(now)
        return []

    def _some_left(self) -> bool:
        """Collect who has ended, so that there are no zombies, and say whether there is anybody else."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return not self._has_all and bool(self._members())
            if pid == 0:
                return True
            if pid == self._task:
                self.returncode = os.waitstatus_to_exitcode(status)
                self._settled_at = time.monotonic() + SETTLE

    def _act(self, now: float) -> None:
        if self._kill_at is None:
            reason = self._reason(now)
            if reason is None:
                return
            if self.returncode is None:
                self.ended_by = reason
            self._kill_at = now + self._grace
            if not self._at_once:
                self._send(signal.SIGTERM)
                self._send(signal.SIGCONT)  # what is suspended could not act on it
        if self._at_once or now >= self._kill_at:
            self._killed_at = self._killed_at or now
            self._send(signal.SIGKILL)  # again and again, for what was being forked meanwhile

    def _reason(self, now: float) -> str | None:
        if self._stop or os.getppid() != self._engine:
            return "stop"
        if self._settled_at is not None:
            return "leftover" if now >= self._settled_at else None
        return "timeout" if self._timeout_at is not None and now >= self._timeout_at else None

    def _sleep(self, now: float) -> None:
        if self._killed_at is not None:
            wait = _TICK
        else:
            due = self._kill_at or self._settled_at or self._timeout_at
            wait = min(_LOOK_UP, max(due - now, 0.001)) if due is not None else _LOOK_UP
        for source, _ in self._poll.poll(wait * 1000):
            data = os.read(source, 4096)
            if source == self._signals:
                self._stop = self._stop or bool({signal.SIGTERM, signal.SIGINT, signal.SIGHUP} & set(data))
            elif data:
                self._obey(data)
            else:
                self._stop = True
                self._poll.unregister(source)

    def _obey(self, orders: bytes) -> None:
        self._at_once = self._at_once or b"K" in orders
        self._stop = self._stop or bool(orders)

    def _send(self, number: int) -> None:
        for pid in self._members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number) if self._has_all else os.killpg(-pid, number)

    def _members(self) -> list[int]:
        """All descendants, parents first; where we cannot know them the negative id of the command's process group."""
        if self._has_all:
            return list(descendants(os.getpid()))
        try:
            os.killpg(self._task, 0)
        except (ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
            return []
        return [-self._task]


def descendants(root: int) -> Iterator[int]:
    """The ids of all processes below `root`, parents before their children, from /proc."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])  # the name in brackets may hold anything
            children.setdefault(parent, []).append(int(name))
    below = children.get(root, [])
    while below:
        yield from below
        below = [child for parent in below for child in children.get(parent, [])]


def tell(status: int, **what: object) -> None:
    """One line of JSON to the engine, if there still is one."""
    with contextlib.suppress(BrokenPipeError):
        os.write(status, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
