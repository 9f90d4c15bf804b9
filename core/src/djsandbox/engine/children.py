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
from collections.abc import Iterator

from djsandbox.engine.signals import behave_as_usual

_PR_SET_PDEATHSIG = 1
_active = False
_forking = 0
"""The process that forks, while its main thread does; else 0."""


@contextlib.contextmanager
def forked_children_end_with_us() -> Iterator[None]:
    """While open, every process that our main thread forks is killed by the kernel when this one dies."""
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
        global _forking  # noqa: PLW0603 - what the parent knows, the child is born with
        _forking = os.getpid() if threading.current_thread() is threading.main_thread() else 0

    def in_child() -> None:
        if _active:
            behave_as_usual()
        # The kernel sends it when the thread that forked ends, and one of a library's may do so long before its workers.
        if _active and _forking:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != _forking:  # it died before the call, and somebody else adopted us
                os._exit(1)

    os.register_at_fork(before=before, after_in_child=in_child)
