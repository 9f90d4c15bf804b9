"""The contract of model executors: `_run` does the work while `watch_run` reads its log, line by line."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from djsandbox.components.base import Component

END_OF_RUN = "<djsandbox> end of the model executor's run <djsandbox>"
_POLL_SECONDS = 0.05


class BaseModelExecutor(Component, ABC):
    """Executor that trains, infers with or evaluates a model.

    Subclasses implement `_run`, and `_watch_run` where their log lines carry metrics. While `_run` works, what it prints goes
    to the job's log file, and `watch_run` follows that file in a thread of its own, so that metrics are live even where
    `_run` never awaits.
    """

    async def run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        """Run `_run` and watch its log; returns what `_run` returns."""
        log_file = self.context.log_file or Path(tempfile.mkstemp(prefix="djsandbox-", suffix=".log")[1])
        watching = threading.Thread(
            target=lambda: asyncio.run(self.watch_run(log_file, **kwargs)), name="watch-run", daemon=True
        )
        with log_file.open("a", encoding="utf-8", buffering=1) as log:
            watching.start()
            try:
                with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                    return await self._run(run_type, run_obj, **kwargs)
            finally:
                log.write(f"\n{END_OF_RUN}\n")
                log.flush()
                watching.join()

    @abstractmethod
    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        """Do the work; what it returns is the job's outputs."""

    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        """Hand each line of `log_file` to `_watch_run` as it appears, until the end marker."""
        with log_file.open(encoding="utf-8", errors="replace", newline="\n") as log:
            for line in _follow(log):
                if END_OF_RUN in line:
                    return
                try:
                    self._watch_run(line, **kwargs)
                except Exception:  # a line that cannot be parsed must not stop the training
                    self.logger.warning("cannot read a metric from: %s", line, exc_info=True)

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """Read metrics from one log line and hand them to `self.watcher`; does nothing unless overridden."""

    def data_connector(self, input_data: Any, **kwargs: Any) -> Any:
        """`input_data` (a path or rows) in the form the model's framework wants; as it is unless overridden."""
        return input_data


def _follow(log: TextIO) -> Iterator[str]:
    pause = threading.Event()
    pending = ""
    while True:
        chunk = log.read()
        if not chunk:
            pause.wait(_POLL_SECONDS)
            continue
        *lines, pending = (pending + chunk.replace("\r", "\n")).split("\n")
        yield from lines
