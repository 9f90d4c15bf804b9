"""The contract of model executors: `_run` does the work while `watch_run` reads its log, line by line."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from djsandbox.components.base import Component
from djsandbox.components.data_connector import dataset_of
from djsandbox.components.watching import END_OF_RUN, Complaints, Watched, awaited, current_run, lines_of
from djsandbox.process.capture import Capture, capture_of, captured
from djsandbox.redact import secrets_in, secrets_in_environment


class BaseModelExecutor(Component, ABC):
    """Executor that trains, infers with or evaluates a model.

    Subclasses implement `_run`, and `_watch_run` where their log lines carry metrics. What `_run` and the programs that it
    starts print goes to the job's log file, and `watch_run` follows that file in a thread of its own, so that metrics are live
    even where `_run` never awaits.
    """

    async def run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        """Run `_run` and watch its log; returns what `_run` returns.

        Outside of a run of the sandbox the log is `context.log_file`, where that is no earlier attempt's, else a new file
        beside it or a temporary one: while it works, `context.log_file` is the one in use, and an error has it in its notes.
        Raises SandboxError where another executor runs in this process at the same time, and has a log of its own.
        """
        with self._captured() as capture, Watched(capture, lambda log_file: self.watch_run(log_file, **kwargs), self.logger):
            return await awaited(self._run(run_type, run_obj, **kwargs))

    @abstractmethod
    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        """Do the work; what it returns is the job's outputs."""

    @property
    def end_of_run(self) -> str:
        """The line that `run` prints when `_run` has ended: `END_OF_RUN` and what makes it this attempt's own."""
        attempt = current_run.get()
        return attempt.end_marker if attempt else END_OF_RUN

    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        """Hand each line of this run in `log_file` to `_watch_run` as it appears, until the end marker.

        What overrides it runs in a thread and an event loop of its own, and must end at the line `end_of_run`. The log may
        have begun before this run. What it raises is logged, and does not end the run.
        """
        complaints = Complaints(self.logger)
        async with contextlib.aclosing(lines_of(log_file, current_run.get())) as lines:
            async for line in lines:
                try:
                    await awaited(self._watch_run(line, **kwargs))
                except Exception as error:  # a line that cannot be parsed must not stop the training
                    complaints.about(line, error)

    def _watch_run(self, line: str, **kwargs: Any) -> Any:
        """Read metrics from one log line and hand them to `self.watcher`; does nothing unless overridden.

        It may be `async`. What it returns is not used.
        """

    def data_connector(self, input_data: Any, **kwargs: Any) -> Any:
        """`input_data` in the form that the model's framework wants: a `datasets.Dataset`, unless overridden.

        Args:
            input_data: The path of a file (.jsonl, .json, .csv, .tsv, .parquet, .txt, also compressed), of a folder of such
                files, or of one that `Dataset.save_to_disk` has written; a list of paths; rows, an iterable of mappings; a data
                frame; or a `datasets.Dataset`, which is returned as it is.
            kwargs: Options of the reader of that kind of file in `datasets` (`features`, `field`, `sep`).

        Nothing is downloaded; what `datasets` keeps of files lies in the `cache_dir` of the context. Raises ComponentError
        where there is no such data, it cannot be read, or `datasets` is not installed.
        """
        return dataset_of(input_data, self.context.cache_dir, **kwargs)

    @contextlib.contextmanager
    def _captured(self) -> Iterator[Capture]:
        """What gets our output: the engine's capture during a run, else one of our own."""
        before = self.context
        found = capture_of(before.log_file)
        if found is not None:
            yield found
            return
        log_file = _new_log(before.log_file)
        secrets = secrets_in_environment()
        if isinstance(self.config, BaseModel):
            secrets |= secrets_in(self.config.model_dump())
        self.logger.info("%s prints to %s", type(self).__name__, log_file)
        try:
            with captured(log_file, secrets) as capture:
                self.context = replace(before, log_file=log_file)
                yield capture
        except BaseException as error:
            error.add_note(f"what it printed: {log_file}")
            raise
        finally:
            self.context = before


def _new_log(wanted: Path | None) -> Path:
    """The log of one attempt: the file wanted where nothing is in it yet, else a numbered one beside it, or a temporary one."""
    if wanted is None:
        fd, path = tempfile.mkstemp(prefix="djsandbox-", suffix=".log")
        os.close(fd)
        return Path(path)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if not wanted.exists() or not wanted.stat().st_size:
        return wanted
    for number in itertools.count(2):
        numbered = wanted.with_stem(f"{wanted.stem}_{number}")
        with contextlib.suppress(FileExistsError):
            numbered.touch(exist_ok=False)
            return numbered
    raise AssertionError("unreachable")
