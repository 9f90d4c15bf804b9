"""Following the log of a model executor's run, line by line, while the run writes it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import re
import secrets
import threading
import traceback
import weakref
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from djsandbox.process.capture import Capture
from djsandbox.process.lines import LineSplitter

END_OF_RUN = "<djsandbox> end of the model executor's run <djsandbox>"
_END = re.compile(re.escape(END_OF_RUN) + " [0-9a-f]{32}")
_LOOK_UP = 0.05
_PATIENCE = 60.0
_CHUNK = 65_536


class ExecutorRun:
    """One run of a model executor: where its part of the log begins, and the line that ends it and that no other has."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end_marker = f"{END_OF_RUN} {secrets.token_hex(16)}"
        self.is_over = threading.Event()


current_run: contextvars.ContextVar[ExecutorRun | None] = contextvars.ContextVar("executor-run", default=None)


class Watched:
    """While open, `watch` reads the log of `capture` in a thread of its own; at the end it is told, and waited for.

    What it raises is logged and changes nothing else.
    """

    def __init__(self, capture: Capture, watch: Callable[[Path], Any], logger: logging.Logger) -> None:
        self._capture = capture
        self._watch = watch
        self._logger = logger

    def __enter__(self) -> Self:
        self._capture.sync()
        self._current = ExecutorRun(self._capture.log_file.stat().st_size)
        self._token = current_run.set(self._current)
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="watch-run", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        current_run.reset(self._token)
        try:
            with contextlib.suppress(OSError):  # a full disk; that it is over is known without it
                # The first end of a line is for a last line that has none.
                self._capture.write(f"\n{self._current.end_marker}\n")
            self._capture.sync()
        finally:
            self._current.is_over.set()
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._logger.warning("waiting for watch_run to end, which it should at the line '%s'", self._current.end_marker)
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(awaited(self._watch(self._capture.log_file)))
        except BaseException:
            self._logger.exception("watch_run failed: the rest of the log is not read for metrics")


async def awaited(result: Any) -> Any:
    """The result of a method that may or may not be `async`, from what calling it gave."""
    return await result if inspect.isawaitable(result) else result


async def lines_of(log_file: Path, run: ExecutorRun | None) -> AsyncGenerator[str]:
    """The lines that `run` writes to its log, as they come; without one, all of the file up to the first end marker."""
    splitter = LineSplitter()
    blank = 0  # blank lines are held back: the last one may belong to the end marker
    async with contextlib.aclosing(_data_of(log_file, run)) as pieces:
        async for data in pieces:
            for line in splitter.feed(data) if data else splitter.close():
                if not line:
                    blank += 1
                    continue
                is_marker = _END.fullmatch(line) is not None
                is_end = line == run.end_marker if run else is_marker
                for _ in range(blank - is_end):
                    yield ""
                if is_end:
                    return
                blank = 0
                if not is_marker:  # that of another run, which shares the log
                    yield line


async def _data_of(log_file: Path, run: ExecutorRun | None) -> AsyncGenerator[bytes]:
    """What is written to a file, as it comes; at last b"", where the run is over and there is no more."""
    with log_file.open("rb", buffering=0) as log:
        log.seek(run.start if run else 0)
        while True:
            is_over = run is not None and run.is_over.is_set()  # asked before reading: then all has been written
            data = log.read(_CHUNK)
            if data or is_over:
                yield data
            if not data:
                if is_over:
                    return
                await _pause(run)


async def _pause(run: ExecutorRun | None) -> None:
    if run is None:
        await asyncio.sleep(_LOOK_UP)
    else:
        await asyncio.to_thread(run.is_over.wait, _LOOK_UP)


class Complaints:
    """Logs which lines could not be read, one of each kind.

    A complaint stands in the log that is being watched, and what it quotes may well go wrong in the same way, without an end.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._kinds: set[tuple[type, str, int | None]] = set()

    def about(self, line: str, error: Exception) -> None:
        """Log that `line` led to `error`, where no other has in the same way."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = (type(error), place.filename, place.lineno)
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._logger.warning("cannot read a metric from this line, and perhaps others: %s", line, exc_info=error)


class OwnLoop:
    """An event loop in a thread of its own, for who has to wait for coroutines and may have another loop already."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_turn, args=(self._loop,), name="watch-run", daemon=True).start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def wait_for(self, result: Any) -> None:
        """Return when what calling an `async` method gave is done; raises what it raises."""
        asyncio.run_coroutine_threadsafe(awaited(result), self._loop).result()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
