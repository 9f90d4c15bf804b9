"""Our side of the process that keeps secrets out of what is printed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Set
from io import FileIO
from pathlib import Path

from djsandbox.process.environment import child_environment
from djsandbox.process.scrubber import ANSWER, END, HEAD, ORDER

_PROGRAM = ("-I", "-S", str(Path(__file__).with_name("scrubber.py")))
_MOST_TRIES = 4
_CHUNK = 65_536
_latest: list[Scrubber] = []
"""The one that was used last: starting it takes longer than many a job."""


def scrubbed_pipe(log: int, secrets: Set[str]) -> ScrubbedPipe:
    """A pipe of which everything but `secrets` ends up in the open file `log`."""
    while True:
        if not (_latest and _latest[0].serves(secrets)):
            for other in _latest:
                other.retire()
            _latest[:] = [Scrubber(secrets)]
        pipe = _latest[0].open(log)
        if pipe is not None:
            return pipe


class Scrubber:
    """A process that takes secrets out of what comes through pipes; where it is killed, another one goes on.

    It ends with ours, when the last of those who write to the pipes has closed them.
    """

    def __init__(self, secrets: Set[str]) -> None:
        self.state = threading.Condition()
        self.starts = 0
        self._secrets = frozenset(secrets)
        self._owner = os.getpid()
        self._pipes: dict[int, ScrubbedPipe] = {}
        self._numbers = itertools.count()
        self._is_retired = self._has_ended = False
        self._process, self._channel = self._start()
        threading.Thread(target=self._listen, name="scrubber", daemon=True).start()

    @property
    def is_ours(self) -> bool:
        """Whether this process has started it, and not the one that this is a forked worker of."""
        return os.getpid() == self._owner

    def serves(self, secrets: Set[str]) -> bool:
        """Whether it can be used for a log without `secrets`."""
        return self.is_ours and self._secrets == secrets and not self._has_ended

    def retire(self) -> None:
        """Let it end when its pipes have come to their end."""
        if self.is_ours:
            with self.state, contextlib.suppress(OSError):
                self._is_retired = True
                self._channel.shutdown(socket.SHUT_WR)

    def open(self, log: int) -> ScrubbedPipe | None:
        """A pipe to the open file `log`; None where the process has ended meanwhile."""
        with self.state:
            if self._has_ended:
                return None
            pipe = ScrubbedPipe(self, next(self._numbers), log)
            self._pipes[pipe.number] = pipe
            self._hand_over(pipe)
        return pipe

    def forget(self, pipe: ScrubbedPipe) -> None:
        """A pipe is needed no more, here; called with `state` held."""
        self._pipes.pop(pipe.number, None)

    def _hand_over(self, pipe: ScrubbedPipe) -> None:
        pipe.tries += 1
        with contextlib.suppress(OSError):  # it is dead: the next one gets all that are open
            socket.send_fds(self._channel, [ORDER.pack(pipe.number, pipe.is_begun, pipe.mark)], [pipe.reading, pipe.log])
            pipe.is_begun = True

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, its = socket.socketpair()
        with its:
            process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, *_PROGRAM, str(its.fileno())],
                cwd="/",
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(its.fileno(),),
                start_new_session=True,
            )
        secrets = json.dumps([_bytes(text).decode("latin-1") for text in self._secrets]).encode()
        with contextlib.suppress(OSError):  # it is dead already, which is found out soon enough
            ours.sendall(HEAD.pack(len(secrets)) + secrets)
        self.starts += 1
        return process, ours

    def _listen(self) -> None:
        """Hear the answers, and start another process where one has died too soon."""
        while True:
            self._hear()
            self._process.wait()
            with self.state:
                self._channel.close()
                if not (self._pipes and self._started_again()):
                    self._has_ended = True
                    for pipe in self._pipes.values():
                        pipe.give_up()
                self.state.notify_all()
                if self._has_ended:
                    return

    def _hear(self) -> None:
        received = b""
        with contextlib.suppress(OSError):
            while data := self._channel.recv(_CHUNK):
                received += data
                while len(received) >= ANSWER.size:
                    number, answer = ANSWER.unpack_from(received)
                    received = received[ANSWER.size :]
                    with self.state:
                        if number in self._pipes:
                            self._pipes[number].answer = answer
                            self.state.notify_all()

    def _started_again(self) -> bool:
        if any(pipe.tries == _MOST_TRIES for pipe in self._pipes.values()):
            return False
        try:
            self._process, self._channel = self._start()
        except OSError:
            return False
        for pipe in self._pipes.values():
            self._hand_over(pipe)
        if self._is_retired:
            self._channel.shutdown(socket.SHUT_WR)
        return True


class ScrubbedPipe:
    """A pipe of which everything but secrets ends up in a file. Whoever inherits it may write to it when it is closed here."""

    def __init__(self, scrubber: Scrubber, number: int, log: int) -> None:
        self.number = number
        self.mark = b"\0djsandbox-" + os.urandom(16).hex().encode() + b"-"
        self.tries = 0
        self.is_begun = False
        self.answer: int | None = None
        self.is_lost = False
        """Whether the process was killed so often that what is printed is not written any more."""
        self.reading, writing = os.pipe()  # we keep the reading end, too: nobody who prints shall find it closed
        self.writing: FileIO = os.fdopen(writing, "wb", buffering=0)
        self.log = os.dup(log)
        self._scrubber = scrubber
        self._numbers = itertools.cycle(range(END))
        self._one_question = threading.Lock()

    def sync(self) -> None:
        """Wait until all that was written to the pipe before, less secrets, is in the file."""
        if self._scrubber.is_ours:  # else nobody would hear the answer
            with self._one_question:
                self._ask(next(self._numbers))

    def close(self) -> None:
        """`sync`, and let go of the pipe; what others still write to it is taken care of."""
        try:
            if self._scrubber.is_ours:
                with self._one_question:
                    self._ask(END)
        finally:
            with self._scrubber.state if self._scrubber.is_ours else contextlib.nullcontext():
                self._scrubber.forget(self)
                self.writing.close()
                os.close(self.reading)
                os.close(self.log)

    def give_up(self) -> None:
        """Nobody will read any more; nobody who prints shall have to wait for that."""
        self.is_lost = True
        threading.Thread(target=_drain, args=(os.dup(self.reading),), daemon=True).start()

    def _ask(self, number: int) -> None:
        """Put the mark and `number` into the pipe and wait until it has come out; once more where it got lost on the way."""
        asked = 0
        while True:
            with self._scrubber.state:
                while not (self.answer == number or self.is_lost) and self._scrubber.starts == asked:
                    self._scrubber.state.wait()
                if self.answer == number or self.is_lost:
                    return
                asked = self._scrubber.starts
            write_all(self.writing, self.mark + bytes([number]))


def write_all(file: FileIO, data: bytes) -> None:
    """Write all of `data`, also where another process has made the file one that does not wait."""
    rest = memoryview(data)
    while rest:
        count = file.write(rest)
        if count is None:
            poll = select.poll()
            poll.register(file, select.POLLOUT)
            poll.poll()
        else:
            rest = rest[count:]


def _drain(fd: int) -> None:
    with open(fd, "rb", buffering=0) as pipe:
        while pipe.read(_CHUNK):
            pass


def _bytes(text: str) -> bytes:
    """As programs write it: what came as bytes that are no UTF-8 goes as such."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
