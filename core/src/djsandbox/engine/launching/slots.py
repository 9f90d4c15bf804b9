"""CPUs and GPUs lent to who asks for them, all at once or not yet, in the order of asking."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence


class ClosedError(Exception):
    """Nothing is lent any more."""


class Slots:
    """What is free.

    Nobody holds a part of what it needs while it waits for the rest, and who came first is served first: so nobody waits for
    ever, as long as nobody asks for more than there is.
    """

    def __init__(self, places: int, cpus: int) -> None:
        self._places = places
        self._cpus = cpus
        self._gpus: list[str] = []
        self._order: dict[str, int] = {}
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def add_gpus(self, names: Sequence[str]) -> None:
        """Share out these, too."""
        with self._changed:
            self._order.update({name: len(self._order) + at for at, name in enumerate(names)})
            self._gpus.extend(names)
            self._changed.notify_all()

    @contextlib.contextmanager
    def lent(self, cpus: int, gpus: int) -> Iterator[tuple[str, ...]]:
        """Wait for so many CPUs and GPUs, and give them back at the end; the names of the GPUs. Raises ClosedError."""
        devices = self._take(cpus, gpus)
        try:
            yield devices
        finally:
            with self._changed:
                self._places += 1
                self._cpus += cpus
                self._gpus = sorted([*self._gpus, *devices], key=self._order.__getitem__)
                self._changed.notify_all()

    def close(self) -> None:
        """Send away who waits, and whoever comes."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _take(self, cpus: int, gpus: int) -> tuple[str, ...]:
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                self._changed.wait_for(lambda: self._is_closed or (self._queue[0] is me and self._has(cpus, gpus)))
            finally:
                self._queue.remove(me)
                self._changed.notify_all()  # the next in the queue
            if self._is_closed:
                raise ClosedError
            self._places -= 1
            self._cpus -= cpus
            taken, self._gpus = tuple(self._gpus[:gpus]), self._gpus[gpus:]
            return taken

    def _has(self, cpus: int, gpus: int) -> bool:
        return self._places >= 1 and self._cpus >= cpus and len(self._gpus) >= gpus
