"""Forked worker processes end with the run, also when it is killed at once.

Libraries that work in a pool (`multiprocessing` and its like) fork workers which nobody would end after `kill -9`. On Linux
the kernel does it for us; elsewhere they are left to their library.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

from djsandbox.engine.signals import behave_as_usual

_PR_SET_PDEATHSIG = 1
_LOOK_UP = 0.5
_active = False
_forking = 0
"""The process that forks."""
_from_main_thread = True


@contextlib.contextmanager
def forked_children_end_with_us() -> Iterator[None]:
    """While open, every process forked from this one ends when this one dies, in whatever way."""
    global _active  # noqa: PLW0603 - what is registered to happen at a fork stays registered
    if sys.platform == "linux":
        _register()
    before, _active = _active, True
    try:
        yield
    finally:
        _active = before


@functools.cache
def _register() -> None:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before() -> None:
        global _forking, _from_main_thread  # noqa: PLW0603 - what the parent knows, the child is born with
        _forking = os.getpid()
        _from_main_thread = threading.current_thread() is threading.main_thread()

    def in_child() -> None:
        if _active:
            behave_as_usual()
            if _from_main_thread:
                prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            else:
                # The kernel would send it when the thread ends that forked, and a library's may long before its workers.
                threading.Thread(target=_end_without, args=(_forking,), daemon=True).start()
            if os.getppid() != _forking:  # it died before the call, and somebody else adopted us
                os._exit(1)

    os.register_at_fork(before=before, after_in_child=in_child)


def _end_without(parent: int) -> None:
    """End this process when its parent has."""
    while os.getppid() == parent:
        time.sleep(_LOOK_UP)
    os._exit(1)
