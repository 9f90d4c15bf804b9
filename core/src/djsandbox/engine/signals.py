"""Ctrl-C and SIGTERM: noted, and raised as KeyboardInterrupt, so that both leave everything journalled and resumable."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT_CODE = 130
_SECONDS_TO_CLEAN_UP = 15
_noted: list[int] = []
"""The signals that came since a run began: what cleans up on the way may raise something else over the interrupt."""


@contextlib.contextmanager
def signals_interrupt(give_up: Callable[[], None]) -> Iterator[None]:
    """While open, both signals raise KeyboardInterrupt in the main thread; does nothing in another thread.

    A clean-up that takes too long is given up: `give_up` is called, in a thread, and the process ends. A second signal ends
    it at once; the journal shows the run as killed then, and it can be resumed all the same.
    """
    _noted.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        _noted.append(number)
        if len(_noted) > 1:
            os._exit(_EXIT_CODE)
        # Cleaning up may hang for ever, as a pool does whose workers the same signal has killed.
        giving_up.start()
        raise KeyboardInterrupt(f"signal {number}")

    def end() -> None:
        try:
            give_up()
        finally:
            os._exit(_EXIT_CODE)

    giving_up = threading.Timer(_SECONDS_TO_CLEAN_UP, end)
    giving_up.daemon = True

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        giving_up.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def is_interrupted() -> bool:
    """Whether one of the signals has come in this run."""
    return bool(_noted)


def behave_as_usual() -> None:
    """For a forked worker: the signals do what the library that forked it expects."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
