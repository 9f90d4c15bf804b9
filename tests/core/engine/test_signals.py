"""Signals: the second one ends the process, and what is registered hears of it before."""

from __future__ import annotations

import subprocess
import sys

TWICE = """
import os, signal, threading
from djsandbox.engine.signals import signals_interrupt
from djsandbox.engine.stopping import Stoppables

lock = threading.Lock()
stoppables = Stoppables()

def stop():
    with lock:
        print("told", flush=True)

with stoppables.registered(stop, grace=10_000), signals_interrupt(lambda: None, stoppables):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        with lock:
            os.kill(os.getpid(), signal.SIGINT)
        while True:
            signal.pause()
"""


def test_a_second_signal_reaches_what_is_registered_although_it_interrupts_who_holds_the_lock_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout, done.returncode) == ("told\n", 130), done.stderr
