"""A tracker kept out of the run's way: told from a thread of its own, and heard out only where it fails."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from djsandbox.errors import PluginError
from djsandbox.plugins.events import RunEvent, Status
from djsandbox.plugins.hookspecs import hookimpl
from djsandbox.plugins.isolation import reason
from djsandbox.watch.parts import plain
from djsandbox.watch.tracker import TrackedMetric, TrackedTable, Tracker

MOST_WAITING = 200_000
"""How many values may wait to be told; more are left out, because a tracker that hangs must not fill the memory."""

_PATIENCE_WITH_ABANDON = 2.0
"""Seconds for which the run waits for a tracker that is told to give up."""

_Item = tuple[str, tuple[Any, ...]]


class TrackerFeed:
    """A plugin that passes on what happens in `run` to a tracker, which messages call `name`."""

    def __init__(self, tracker: Tracker, name: str, run: RunEvent) -> None:
        self.name = name
        self.failure: PluginError | None = None
        self._tracker = tracker
        self._waiting: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._left_out = 0
        self._complained: set[str] = set()
        self._is_over = threading.Event()
        self._is_abandoned = threading.Event()
        self._iteration = 1
        self._pass_on("start", run)
        threading.Thread(target=self._work, name=name, daemon=True).start()

    @hookimpl
    def djsandbox_iteration_started(self, iteration: int) -> None:
        """Remember which one it is."""
        self._iteration = iteration

    @hookimpl
    def djsandbox_config_logged(self, name: str, config: Mapping[str, Any]) -> None:
        """Pass a config on."""
        self._pass_on("log_config", name, plain(config))

    @hookimpl
    def djsandbox_metrics_logged(self, name: str, value: Any, job_id: str, step: int | None, task: str) -> None:
        """Pass a value on."""
        self._pass_on("log_metric", TrackedMetric(name, plain(value), step, self._iteration, job_id, task))

    @hookimpl
    def djsandbox_table_logged(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str], job_id: str, task: str
    ) -> None:
        """Pass a table on."""
        cells = tuple(tuple(plain(list(row))) for row in rows)
        self._pass_on("log_table", TrackedTable(title, tuple(columns), cells, tuple(notes), self._iteration, job_id, task))

    @hookimpl
    def djsandbox_context_changed(self, context: Mapping[str, Any], iteration: int) -> None:
        """Pass the context on."""
        self._pass_on("log_context", plain(context), iteration)

    def end(self, status: Status) -> None:
        """Say that the run has ended; nothing is passed on any more."""
        self._pass_on("finish", status)
        self._waiting.put(None)

    def wait(self, until: float) -> None:
        """Wait until everything has been told, but no longer than to the monotonic time `until`; then it is abandoned."""
        if not self._is_over.wait(max(0.0, until - time.monotonic())):
            self.abandon()
        if self._left_out:
            self._tracker.tell(f"{self.name}: it was too slow, and {self._left_out:,} values were not mirrored")

    def abandon(self) -> None:
        """Tell the tracker nothing more, and have it give up, where it has not come to its end."""
        if self._is_over.is_set() or self._is_abandoned.is_set():
            return
        self._is_abandoned.set()
        self._left_out += self._values_waiting()
        giving_up = threading.Thread(target=self._give_up, name=f"{self.name}: abandon", daemon=True)
        giving_up.start()
        giving_up.join(_PATIENCE_WITH_ABANDON)

    @property
    def patience(self) -> float:
        """Seconds for which the end of the run waits."""
        try:
            return float(self._tracker.patience)
        except Exception as error:
            self._complain("patience", error)
            return 0.0

    def _pass_on(self, method: str, *arguments: Any) -> None:
        if method == "log_metric" and self._waiting.qsize() >= MOST_WAITING:
            with self._guard:
                self._left_out += 1
        else:
            self._waiting.put((method, arguments))

    def _work(self) -> None:
        try:
            while (item := self._waiting.get()) is not None and not self._is_abandoned.is_set():
                method, arguments = item
                try:
                    getattr(self._tracker, method)(*arguments)
                except BaseException as error:  # whatever it is, it is not the run's
                    self._complain(method, error)
                    if method == "start":
                        return
        finally:
            self._is_over.set()

    def _values_waiting(self) -> int:
        found = 0
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._waiting.get_nowait()
                found += item is not None and item[0] == "log_metric"
        return found

    def _give_up(self) -> None:
        try:
            self._tracker.abandon()
        except BaseException as error:
            self._complain("abandon", error)
        self._waiting.put(None)

    def _complain(self, method: str, error: BaseException) -> None:
        with self._guard:
            if (self._is_abandoned.is_set() and method != "abandon") or method in self._complained:
                return
            self._complained.add(method)
        failure = PluginError(
            f"{self.name} failed in {method}: {reason(error)}",
            fix="the run goes on without it" if method == "start" else "the run goes on; not everything is mirrored",
        )
        failure.__cause__ = error
        self.failure = self.failure or failure
        self._tracker.tell(str(failure))
