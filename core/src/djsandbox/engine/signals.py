"""Ctrl-C and SIGTERM: noted, and raised as KeyboardInterrupt, so that both leave everything journalled and resumable."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from djsandbox.engine.stopping import Stoppables

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT_CODE = 130
_SECONDS_TO_KILL = 5
"""How long telling process trees to end at once may take; nobody waits until they have."""
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
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        _noted.append(number)
        if len(_noted) > 1:
            if len(_noted) == 2:
                _bounded(stoppables.stop_at_once)
            os._exit(_EXIT_CODE)
        # Cleaning up may hang for ever, as a pool does whose workers the same signal has killed.
        giving_up.interval = stoppables.patience()
        giving_up.start()
        raise KeyboardInterrupt(f"signal {number}")

    def end() -> None:
        try:
            give_up()
        finally:
            _bounded(stoppables.stop_at_once)
            os._exit(_EXIT_CODE)

    giving_up = threading.Timer(stoppables.patience(), end)
    giving_up.daemon = True

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        giving_up.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _bounded(call: Callable[[], None]) -> None:
    """Call it in a thread, because a lock that it needs may be held by who was interrupted, and wait for a moment only."""
    has_returned = threading.Event()

    def in_thread() -> None:
        try:
            call()
        finally:
            has_returned.set()

    threading.Thread(target=in_thread, daemon=True).start()
    has_returned.wait(_SECONDS_TO_KILL)


def is_interrupted() -> bool:
    """Whether one of the signals has come in this run."""
    return bool(_noted)


def behave_as_usual() -> None:
    """For a forked worker: the signals do what the library that forked it expects."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
