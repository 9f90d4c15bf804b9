"""Ctrl-C and SIGTERM: noted, and raised as KeyboardInterrupt, so that both leave everything journalled and resumable."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from djsandbox.engine.stopping import Stoppables

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT_CODE = 130
_SECONDS_TO_KILL = 5
"""How long telling process trees to end at once may take; nobody waits until they have."""
_LOOK_UP = 0.2
_OVER = b"\0"
"""What the thread that ends the process reads when the run is over; else it reads the numbers of signals."""
_NUDGE = signal.SIGURG
"""A signal that nobody minds, to make Python look at those that have come."""
_seen: list[int] = []
"""The signals that have come since a run began, as the operating system tells."""
_noted: list[int] = []
"""The signals that came since a run began: what cleans up on the way may raise something else over the interrupt."""


@contextlib.contextmanager
def signals_interrupt(give_up: Callable[[], None], stoppables: Stoppables) -> Iterator[None]:
    """While open, both signals raise KeyboardInterrupt in the main thread; does nothing in another thread.

    A clean-up that takes longer than `stoppables` may is given up: `give_up` is called, in a thread, and the process ends. A
    second signal ends it at once; the journal shows the run as killed then, and it can be resumed all the same. In both cases
    `stoppables` are told to end at once, too.
    """
    _noted.clear()
    _seen.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Bytes come through it as signals do, also while Python has not run its handlers yet.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def interrupt(number: int, frame: FrameType | None) -> None:
        # It may interrupt anything, also the start of a thread: so it does as little as can be.
        _noted.append(number)
        if len(_noted) == 1:
            raise KeyboardInterrupt(f"signal {number}")
        if len(_noted) > 2:
            os._exit(_EXIT_CODE)
        # The other thread ends the process. Until then what was interrupted here goes on: ending may need a lock that it holds.

    def watch() -> None:
        if not _come(reading, None):
            return  # the run has ended by itself
        # Cleaning up may hang for ever, as a pool does whose workers the same signal has killed.
        again = _come(reading, stoppables.patience())
        if again == []:
            return
        try:
            if again is None:
                _bounded(give_up)
        finally:
            _bounded(stoppables.stop_at_once)
            os._exit(_EXIT_CODE)

    watching = threading.Thread(target=watch, name="signals", daemon=True)
    watching.start()
    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    before[_NUDGE] = signal.signal(_NUDGE, lambda *_: None)
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(writing, _OVER)  # closing it would not do: forked workers may have it open, too
        watching.join()
        os.close(writing)
        os.close(reading)


def _come(reading: int, patience: float | None) -> list[int] | None:
    """The signals of ours that come next; none where the run is over, None where nothing has come in `patience` seconds.

    Where the main thread was about to wait for a lock when its signal came, Python does not notice before the next one.
    """
    until = None if patience is None else time.monotonic() + patience
    while until is None or time.monotonic() < until:
        if not select.select([reading], [], [], _LOOK_UP)[0]:
            if _seen and len(_noted) < len(_seen):
                signal.pthread_kill(threading.main_thread().ident or 0, _NUDGE)
            continue
        data = os.read(reading, 1)  # one at a time: the next may be a second signal, or the end
        found = [number for number in data if number in _SIGNALS]
        _seen.extend(found)
        if found or _OVER in data:
            return found
    return None


def _bounded(call: Callable[[], None]) -> None:
    """Call it in a thread, because a lock that it needs may be held by what was interrupted, and wait for a moment only."""
    calling = threading.Thread(target=call, daemon=True)
    calling.start()
    calling.join(_SECONDS_TO_KILL)


def is_interrupted() -> bool:
    """Whether one of the signals has come in this run."""
    return bool(_noted)


def behave_as_usual() -> None:
    """For a forked worker: the signals do what the library that forked it expects."""
    signal.set_wakeup_fd(-1)  # it would tell the parent of signals that are the worker's
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
