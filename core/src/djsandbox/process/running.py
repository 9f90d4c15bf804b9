"""A command while it runs: its lines as they come, and a handle to stop it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from djsandbox.process.command import Command, Completed
from djsandbox.process.failures import ProcessFailed, ProcessNotStarted, ProcessStopped, ProcessTimedOut, SupervisorLost
from djsandbox.process.lines import LineSplitter
from djsandbox.redact import hide, redact

OnLine = Callable[[str], None]

# Isolated and without site-packages: it starts fast, and nothing in the current folder or in PYTHONPATH can get in its way.
_SUPERVISOR = ("-I", "-S", str(Path(__file__).with_name("supervisor.py")))
_KEPT_LINES = 50
_CHUNK = 65_536
_LARGEST_PIPE = 2**20  # bytes that may still lie in the output's pipe when all who could write have ended
_PATIENCE = 15.0  # seconds for the supervisor to end what it was told to kill


def run(command: Command, on_line: OnLine | None = None, *, check: bool = True) -> Completed:
    """Run a command to its end; see `start` and `Running.wait`."""
    return start(command, on_line).wait(check=check)


def start(command: Command, on_line: OnLine | None = None) -> Running:
    """Start a command; whoever does must `wait` for it, which is what reads its output.

    `on_line` gets each line of its output and errors, merged, as soon as it is complete, in the thread that waits.

    Raises:
        ProcessNotStarted: The program or its folder does not exist, or may not be used.
        OSError: The log file cannot be written.
    """
    return Running(command, on_line)


class Running:
    """A command that has been started; when this object is given up or this process dies, so does the command's whole tree."""

    def __init__(self, command: Command, on_line: OnLine | None = None) -> None:
        self.command = command
        self._on_line = on_line
        self._secrets = command.secrets()
        self._lines = LineSplitter()
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._log = _open_log(command.log_file)
        self._orders = threading.RLock()  # a signal handler may call stop, too
        self._waiting = threading.Lock()
        self._said: dict[str, Any] = {}
        self._heard = b""
        self._ended: tuple[int, float] | None = None
        self._began = time.monotonic()
        reading, status = os.pipe()
        self._status = os.fdopen(reading, "rb", buffering=0)
        try:
            self._supervisor = _start_supervisor(status, self.command.pass_fds)
        finally:
            os.close(status)
        weakref.finalize(self, _let_go, self._supervisor)  # Popen keeps its pipes open when it is given up
        try:
            self._submit()
        except BaseException:
            _stdin(self._supervisor).close()  # ends what may have begun
            self._pump(None)
            self._close()
            raise
        if "pid" not in self._said:
            self._pump(None)  # whatever the supervisor may have to say
            self._close()
            if "errno" in self._said:
                raise ProcessNotStarted(command, self._said["errno"], self._said["at"])
            raise SupervisorLost(self._completed())

    @property
    def pid(self) -> int:
        """The process id of the command itself, which leads a process group of its own."""
        return int(self._said["pid"])

    def stop(self, *, at_once: bool = False) -> None:
        """Ask for the end of the whole tree, from any thread: SIGTERM, and SIGKILL after the grace, or right now.

        Does not wait for it: `wait` does, and raises ProcessStopped. Nothing happens where the command has ended.
        """
        with self._orders, contextlib.suppress(BrokenPipeError, ValueError):
            _stdin(self._supervisor).write(b"K" if at_once else b"T")

    def wait(self, *, check: bool = True) -> Completed:
        """Read the output until the command and all of its descendants have ended.

        When anything comes between (Ctrl-C, an error in `on_line`), the tree is stopped before it is passed on; a second
        Ctrl-C meanwhile kills the tree at once.

        Raises:
            ProcessFailed: The exit code was not 0, or a signal ended it (only with `check`).
            ProcessTimedOut: It ran for longer than its timeout.
            ProcessStopped: `stop` was called, or the supervisor got a SIGTERM, before the command had ended by itself.
            SupervisorLost: Somebody killed the supervisor.
        """
        with self._waiting:
            if self._ended is None:
                try:
                    self._pump(self._on_line)
                except BaseException:
                    self._end_now()
                    raise
                finally:
                    self._close()
        return self._outcome(check)

    def _submit(self) -> None:
        request = _request(self.command)
        with contextlib.suppress(BrokenPipeError):
            _write_all(_stdin(self._supervisor), request)
        while not self._said and (data := self._status.read(_CHUNK)):
            self._hear(data)

    def _pump(self, on_line: OnLine | None) -> None:
        output, status = _stdout(self._supervisor).fileno(), self._status.fileno()
        poll = select.poll()
        sources = {output, status}
        for source in sources:
            poll.register(source, select.POLLIN)
        late = 0
        while sources:
            # When the supervisor has said its last word, all there will be is in the pipe, whoever still holds the other end.
            over = status not in sources or not {"returncode", "errno"}.isdisjoint(self._said)
            events = poll.poll(0 if over else None)
            if over and (not events or late > _LARGEST_PIPE):
                break
            for source, _ in events:
                data = os.read(source, _CHUNK)
                late += len(data) if over else 0
                if not data:
                    poll.unregister(source)
                    sources.discard(source)
                elif source == status:
                    self._hear(data)
                else:
                    self._deliver(self._lines.feed(data), on_line)
        self._deliver(self._lines.close(), on_line)

    def _deliver(self, lines: Iterable[str], on_line: OnLine | None) -> None:
        shown = [self._shown(line) for line in lines]
        self._last.extend(shown)
        if self._log and shown:
            self._log.writelines(f"{line}\n" for line in shown)
            self._log.flush()
        if on_line is not None:
            for line in shown:
                on_line(line)

    def _shown(self, line: str) -> str:
        line = hide(line, self._secrets)
        return str(redact(line)) if "://" in line else line

    def _hear(self, data: bytes) -> None:
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._said.update(json.loads(line))

    def _end_now(self) -> None:
        """Stop the tree and see it end; its lines still go to the log."""
        try:
            self.stop()
            self._pump(None)
        except KeyboardInterrupt:
            self.stop(at_once=True)
            lost = threading.Timer(_PATIENCE, self._supervisor.kill)
            lost.start()
            try:
                self._pump(None)
            finally:
                lost.cancel()

    def _close(self) -> None:
        """Leave nothing behind: no zombie, no open file, and no process group where the supervisor was killed."""
        if self._ended is not None:
            return
        with self._orders:
            _stdin(self._supervisor).close()
        if "pid" in self._said and "returncode" not in self._said:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._supervisor.wait()
        _stdout(self._supervisor).close()
        self._status.close()
        if left := self._said.get("left"):
            self._deliver([f"[djsandbox] these processes could not be ended: {left}"], None)
        if self._log:
            self._log.close()
        returncode = self._said.get("returncode")
        self._ended = (-signal.SIGKILL if returncode is None else returncode, time.monotonic() - self._began)

    def _completed(self) -> Completed:
        returncode, seconds = self._ended or (-signal.SIGKILL, 0.0)
        return Completed(self.command.shown_argv(), returncode, seconds, tuple(self._last), self.command.log_file)

    def _outcome(self, check: bool) -> Completed:
        completed = self._completed()
        ended_by = self._said.get("ended_by")
        if ended_by is None:
            raise SupervisorLost(completed)
        if ended_by == "timeout":
            raise ProcessTimedOut(completed, self.command.timeout or 0.0)
        if ended_by == "stop":
            raise ProcessStopped(completed)
        if check and completed.returncode != 0:
            raise ProcessFailed(completed)
        return completed


def _open_log(path: Path | None) -> TextIO | None:
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", newline="\n")


def _start_supervisor(status: int, passed: tuple[int, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, *_SUPERVISOR, str(status)],
        bufsize=0,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(status, *passed),
        start_new_session=True,
    )


def _request(command: Command) -> bytes:
    """One line of JSON; bytes as Latin-1, so that what is no UTF-8 arrives unchanged, too."""
    what = {
        "argv": [_plain(text) for text in command.argv],
        "cwd": _plain(str(Path.cwd() / (command.cwd or ""))),
        "env": {_plain(name): _plain(value) for name, value in command.env.items()},
        "timeout": command.timeout,
        "grace": command.grace,
        "held": None if command.held is None else _plain(str(command.held.absolute())),
        "engine": os.getpid(),
    }
    return json.dumps(what).encode() + b"\n"


def _plain(text: str) -> str:
    return os.fsencode(text).decode("latin-1")


def _stdin(process: subprocess.Popen[bytes]) -> Any:
    return process.stdin


def _stdout(process: subprocess.Popen[bytes]) -> Any:
    return process.stdout


def _let_go(process: subprocess.Popen[bytes]) -> None:
    _stdin(process).close()
    _stdout(process).close()


def _write_all(pipe: Any, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]
