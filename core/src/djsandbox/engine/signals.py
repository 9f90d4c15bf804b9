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
    # A handler may interrupt anything, also the start of a thread: all it may do is to write into a pipe.
    reading, writing = os.pipe()

    def interrupt(number: int, frame: FrameType | None) -> None:
        _noted.append(number)
        os.write(writing, b"!")
        if len(_noted) > 1:
            if len(_noted) == 2:
                time.sleep(_SECONDS_TO_KILL)  # the other thread ends the process before
            os._exit(_EXIT_CODE)
        raise KeyboardInterrupt(f"signal {number}")

    def watch() -> None:
        if not os.read(reading, 1):
            return  # the run has ended by itself
        # Cleaning up may hang for ever, as a pool does whose workers the same signal has killed.
        is_given_up = not select.select([reading], [], [], stoppables.patience())[0]
        if not is_given_up and not os.read(reading, 1):
            return
        try:
            if is_given_up:
                give_up()
        finally:
            _bounded(stoppables.stop_at_once)
            os._exit(_EXIT_CODE)

    watching = threading.Thread(target=watch, name="signals", daemon=True)
    watching.start()
    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)
        watching.join()
        os.close(reading)


def _bounded(call: Callable[[], None]) -> None:
    """Call it in a thread, because a lock that it needs may be held by who was interrupted, and wait for a moment only."""
    calling = threading.Thread(target=call, daemon=True)
    calling.start()
    calling.join(_SECONDS_TO_KILL)


def is_interrupted() -> bool:
    """Whether one of the signals has come in this run."""
    return bool(_noted)


def behave_as_usual() -> None:
    """For a forked worker: the signals do what the library that forked it expects."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
