"""Threads that work off what a pool hands out."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Workers:
    """So many threads that all do `work`.

    Whether one has ended is known from what it says itself at its end: a thread whose `join` a Ctrl-C has interrupted counts as
    ended with some versions of Python (3.11), although it runs.
    """

    def __init__(self, work: Callable[[], None], count: int) -> None:
        self._work = work
        self._count = count
        self._changed = threading.Condition()
        self._running = self._ended = 0
        self._is_dismissed = False

    def run(self) -> None:
        """Start all and return when all have ended."""
        for at in range(self._count):
            threading.Thread(target=self._run, name=f"task-{at}", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._ended == self._count)

    def dismiss(self) -> None:
        """Return when those that work have ended; none begins any more."""
        with self._changed:
            self._is_dismissed = True
            self._changed.wait_for(lambda: self._running == 0)

    def _run(self) -> None:
        with self._changed:
            if self._is_dismissed:
                return
            self._running += 1
        try:
            self._work()
        finally:
            with self._changed:
                self._running -= 1
                self._ended += 1
                self._changed.notify_all()
