"""The trials that run now, each a child process, and what they tell."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.engine.launching.devices import SHARE, VISIBLE, visible_gpus
from djsandbox.engine.stopping import MARGIN, USUAL_GRACE
from djsandbox.engine.sweeps.request import TrialRequest
from djsandbox.process.command import Command
from djsandbox.process.running import Running, start

_PROGRAM = (sys.executable, "-P", "-m", "djsandbox.engine.sweeps.trial")
_PATIENCE = 10.0
"""Seconds in which a trial that has ended may still be heard, should something that cannot be killed hold its pipe."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line from a trial: `event` is job, metric, ended or failed."""

    number: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial's process is gone, with all it started; `error` says how, if not well."""

    number: int
    error: BaseException | None
    seconds: float


class TrialProcesses:
    """Starts trials, passes on what they say, and stops them. All but `events` and `stop_at_once` is for one thread.

    `held` is locked by their processes until all have ended; `secrets` are kept out of their logs. Trials beside each other, up
    to `parallel`, divide the CPUs and GPUs; `tasks_grace` is how many seconds tasks of theirs may take to end.
    """

    def __init__(self, held: Path, secrets: Set[str], parallel: int, tasks_grace: float = USUAL_GRACE) -> None:
        # Longer than it takes a trial's own clean-up to be given up.
        self.grace = max(USUAL_GRACE, tasks_grace) + 2 * MARGIN
        self.events: queue.SimpleQueue[Said | Ended] = queue.SimpleQueue()
        self._held = held
        self._secrets = frozenset(secrets)
        self._shares = shares(visible_gpus() if parallel > 1 else [], parallel)
        self._slots: dict[int, int] = {}
        self._running: dict[int, Running] = {}
        self._over: dict[int, threading.Event] = {}

    def start(self, request: TrialRequest, log_file: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start a trial; its output goes to `log_file`, and `environment` are further variables for it."""
        number = request.number
        slot = next(at for at in range(len(self._shares)) if at not in self._slots.values())
        share = {SHARE: f"{slot}/{len(self._shares)}"}
        if self._shares[slot]:
            share[VISIBLE] = self._shares[slot]
        orders, giving = os.pipe()
        listening, answers = os.pipe()
        try:
            command = Command(
                (*_PROGRAM, str(orders), str(answers)),
                env={**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1", **share},
                log_file=log_file,
                grace=self.grace,
                held=self._held,
                hidden=self._secrets,
                pass_fds=(orders, answers),
            )
            running = start(command)
        except BaseException:
            os.close(giving)
            os.close(listening)
            raise
        finally:
            os.close(orders)
            os.close(answers)
        self._running[number] = running
        self._slots[number] = slot
        talking = threading.Thread(target=self._talk, args=(request, giving, listening), daemon=True)
        self._over[number] = over = threading.Event()
        waiting = threading.Thread(target=self._wait, args=(number, running, talking, over), name=f"trial-{number}")
        talking.start()
        waiting.start()

    def stop(self, number: int) -> None:
        """Ask a trial to end; it ends as any other, with an event."""
        self._running[number].stop()

    def forget(self, number: int) -> None:
        """Let go of a trial that has ended."""
        self._over[number].wait()  # a Thread.join that Ctrl-C interrupts would take the thread for ended
        del self._over[number], self._running[number], self._slots[number]

    def stop_all(self) -> Iterator[int]:
        """Stop all trials, see them end, and yield their numbers."""
        for running in self._running.values():
            running.stop()
        for number in list(self._over):
            self.forget(number)
            yield number

    def stop_at_once(self) -> None:
        """Kill all trials, from any thread, without waiting until they are gone."""
        for running in list(self._running.values()):
            running.stop(at_once=True)

    def _talk(self, request: TrialRequest, giving: int, listening: int) -> None:
        """Hand over the request, and pass on the answers until nobody is left to give any."""
        with os.fdopen(giving, "w", encoding="utf-8") as stream, contextlib.suppress(BrokenPipeError):
            stream.write(request.to_json())
        with os.fdopen(listening, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.endswith("\n"):  # else it was killed in the middle of it
                    self.events.put(Said(request.number, json.loads(line)))

    def _wait(self, number: int, running: Running, talking: threading.Thread, over: threading.Event) -> None:
        started = time.monotonic()
        error: BaseException | None = None
        try:
            running.wait()
        except BaseException as failure:  # whatever it is, the main thread has to hear of it
            error = failure
        try:
            talking.join(_PATIENCE)
            self.events.put(Ended(number, error, time.monotonic() - started))
        finally:
            over.set()


def shares(gpus: Sequence[str], parallel: int) -> list[str]:
    """The GPUs of each of `parallel` trials, as CUDA_VISIBLE_DEVICES names them; "" leaves a trial what we have ourselves.

    Where there are fewer GPUs than trials, some trials have to share one.
    """
    if parallel == 1 or not gpus:
        return [""] * parallel
    return [",".join(gpus[at::parallel]) or gpus[at % len(gpus)] for at in range(parallel)]
