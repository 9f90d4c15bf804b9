"""The process between what jobs print and their log files, which lets no secret through.

It runs as a script of its own, with nothing but the standard library. Being another process it reads on whatever a job does:
C code that prints much while it holds Python's lock would wait for ever for a reader in our own.

The socket whose file descriptor is the only argument brings first the secrets (`HEAD`, then JSON) and then, for each log, an
`ORDER` with two file descriptors: a pipe to read what is printed, and the file. Each ORDER has a mark that nobody prints by
chance. Where it turns up in the pipe, all before it is written out, and the byte that follows it is answered (`ANSWER`);
where that is `END`, nothing of the job is held back any more. When the socket is closed the engine is gone, or has no more
logs; whoever still holds a pipe is served until the last one is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys

HEAD = struct.Struct(">I")
"""The length of the JSON."""
MARK_LENGTH = 44
ORDER = struct.Struct(f">I?{MARK_LENGTH}s")
"""A number for the log; whether another of these processes has died while it wrote the log; the mark."""
ANSWER = struct.Struct(">IB")
"""The number of the log, and what followed the mark."""
END = 255
REDACTED = b"***"
_CHUNK = 65_536
_TELLING = 4
"""The beginning of a secret is hidden from this length on, where the rest of it never came."""
_DIED = b"\n[djsandbox] the process that keeps secrets out of this log was killed: some of what was printed is missing here\n"


def main() -> None:
    """Serve logs until nobody is left who could print."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # what a job prints while it is stopped is wanted, too
    channel = socket.socket(fileno=int(sys.argv[1]))
    (length,) = HEAD.unpack(receive(channel, HEAD.size) or bytes(HEAD.size))
    secrets = [text.encode("latin-1") for text in json.loads(receive(channel, length) or b"[]")]
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    logs: dict[int, Log] = {}
    is_over = False
    while logs or not is_over:
        for source, _ in poll.poll():
            if source == channel.fileno():
                log = next_log(channel, secrets)
                if log is None:
                    poll.unregister(channel)
                    is_over = True
                else:
                    logs[log.pipe] = log
                    poll.register(log.pipe, select.POLLIN)
            elif not logs[source].read():
                poll.unregister(source)
                logs.pop(source).close()


def next_log(channel: socket.socket, secrets: list[bytes]) -> Log | None:
    """The log of the next order; None where there is none any more."""
    data, (*files,), _, _ = socket.recv_fds(channel, ORDER.size, 2)
    rest = receive(channel, ORDER.size - len(data)) if data else None
    if rest is None:
        return None
    number, is_resumed, mark = ORDER.unpack(data + rest)
    pipe, file = files
    return Log(channel, number, pipe, file, mark, Hider(secrets), is_resumed=is_resumed)


def receive(channel: socket.socket, count: int) -> bytes | None:
    """So many bytes; None where the stream ends before."""
    received = b""
    while len(received) < count:
        data = channel.recv(count - len(received))
        if not data:
            return None
        received += data
    return received


class Log:
    """A log file; what cannot be written to it (a full disk) is counted and told later."""

    def __init__(
        self, channel: socket.socket, number: int, pipe: int, file: int, mark: bytes, hider: Hider, *, is_resumed: bool
    ) -> None:
        self.pipe = pipe
        self._channel = channel
        self._number = number
        self._file = file
        self._mark = mark
        self._hider = hider
        self._pending = b""
        self._lost = 0
        self._skips = is_resumed  # the rest of a line may be the rest of a secret
        if is_resumed:
            self._put(_DIED)

    def read(self) -> bool:
        """Write what has been printed; False where nobody is left to print."""
        data = os.read(self.pipe, _CHUNK)
        text = self._pending + data
        while (at := text.find(self._mark)) >= 0 and len(text) > (after := at + len(self._mark)):
            self._write(text[:at])
            self._answer(text[after])
            text = text[after + 1 :]
        at = at if at >= 0 else begun(text, self._mark)
        self._write(text[:at])
        self._pending = text[at:]
        return bool(data)

    def close(self) -> None:
        """Write what was held back."""
        self._write(self._pending)
        self._put(self._hider.close())
        os.close(self.pipe)
        os.close(self._file)

    def _answer(self, number: int) -> None:
        if number == END:
            self._put(self._hider.close())
        with contextlib.suppress(OSError):  # the engine is gone
            self._channel.sendall(ANSWER.pack(self._number, number))

    def _write(self, data: bytes) -> None:
        if self._skips:
            _, end, data = data.partition(b"\n")
            self._skips = not end
        if data:
            self._put(self._hider.feed(data))

    def _put(self, data: bytes) -> None:
        if not data:
            return
        rest = (b"\n[djsandbox] %d bytes could not be written here\n" % self._lost if self._lost else b"") + data
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._lost = 0
        except OSError:
            self._lost += min(len(rest), len(data))


class Hider:
    """Takes secrets out of a stream of bytes, also where one comes in several pieces.

    It holds back no more than what may be the beginning of a secret. Those that overlap are hidden as one.
    """

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of all that has come can be shown now."""
        text = self._held + data
        found = self._found(text)
        end = self._begun(text)
        for start, stop in found:
            if start < end < stop:
                end = start
        self._held = text[end:]
        return _without(text[:end], [place for place in found if place[1] <= end])

    def close(self) -> bytes:
        """What was held back; what comes after it begins anew."""
        text, self._held = self._held, b""
        found, end = self._found(text), self._begun(text)
        if len(text) - end >= _TELLING:
            found = _joined([*found, (end, len(text))])
        return _without(text, found)

    def _begun(self, text: bytes) -> int:
        return min((begun(text, secret) for secret in self._secrets), default=len(text))

    def _found(self, text: bytes) -> list[tuple[int, int]]:
        """Where secrets stand, from the first to the last."""
        places = []
        for secret in self._secrets:
            at = text.find(secret)
            while at >= 0:
                places.append((at, at + len(secret)))
                at = text.find(secret, at + len(secret))
        return _joined(places)


def begun(text: bytes, pattern: bytes) -> int:
    """Where at the end of `text` a `pattern` begins that is not complete; the length of `text` where none does."""
    at = text.find(pattern[:1], max(0, len(text) - len(pattern) + 1))
    while at >= 0:
        if pattern.startswith(text[at:]):
            return at
        at = text.find(pattern[:1], at + 1)
    return len(text)


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _without(text: bytes, places: list[tuple[int, int]]) -> bytes:
    parts, at = [], 0
    for start, stop in places:
        parts += [text[at:start], REDACTED]
        at = stop
    return b"".join([*parts, text[at:]])


if __name__ == "__main__":
    main()
