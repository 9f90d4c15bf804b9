"""Outside of a run a model executor has a log of its own for each attempt, says where it is, and keeps secrets out of it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseModelExecutor, CommandConfig, CommandExecutor, ComponentConfig, JobContext, Task
from djsandbox.errors import SandboxError
from djsandbox.process.capture import captured


class Trainer(BaseModelExecutor):
    class Config(ComponentConfig):
        say: str = "trained"
        api_key: str = ""
        fails: bool = False

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Path | None:
        print(self.config.say)
        subprocess.run(["echo", f"{self.config.say} below"], check=True)
        if self.config.fails:
            raise KeyError("no data")
        return self.context.log_file


def run(log_file: Path | None, **config: Any) -> Path:
    trainer = Trainer(Trainer.Config(**config)).attach(JobContext(log_file=log_file))
    used = asyncio.run(trainer.run("train"))
    assert trainer.context.log_file == log_file
    assert isinstance(used, Path)
    return used


def said(log_file: Path) -> list[str]:
    """What is in a log before the end marker."""
    return log_file.read_text().splitlines()[:-2]


def test_the_log_is_the_contexts(tmp_path: Path) -> None:
    wanted = tmp_path / "not/there/yet/log.txt"
    assert run(wanted) == wanted
    assert said(wanted) == ["trained", "trained below"]


def test_two_attempts_never_share_a_log(tmp_path: Path) -> None:
    logs = [run(tmp_path / "log.txt", say=f"attempt {number}") for number in (1, 2, 3)]
    assert [log.name for log in logs] == ["log.txt", "log_2.txt", "log_3.txt"]
    assert [said(log)[0] for log in logs] == ["attempt 1", "attempt 2", "attempt 3"]


def test_where_the_context_has_none_it_is_a_temporary_file_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with caplog.at_level(logging.INFO):
        log = run(None)
    assert log.parent == tmp_path
    assert said(log) == ["trained", "trained below"]
    assert f"Trainer prints to {log}" in caplog.text


def test_an_error_has_the_log_in_its_notes(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no data") as failed:
        run(tmp_path / "log.txt", fails=True)
    assert failed.value.__notes__ == [f"what it printed: {tmp_path / 'log.txt'}"]
    assert said(tmp_path / "log.txt") == ["trained", "trained below"]


def test_secrets_of_its_config_and_of_our_environment_are_not_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "token-from-outside")
    log = run(tmp_path / "log.txt", say="key-of-config and token-from-outside", api_key="key-of-config")
    assert said(log) == ["*** and ***", "*** and *** below"]


def test_inside_of_a_capture_without_a_log_of_its_own_it_prints_to_that(tmp_path: Path) -> None:
    with captured(tmp_path / "job.log"):
        trainer = Trainer(Trainer.Config())
        asyncio.run(trainer.run("train"))
    assert said(tmp_path / "job.log") == ["trained", "trained below"]


def test_two_at_the_same_time_are_refused_because_their_output_would_be_mixed(tmp_path: Path) -> None:
    class Waits(Trainer):
        async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> str:
            with pytest.raises(SandboxError, match=r"goes to .*first.log, and cannot go to .*second.log"):
                await run_obj
            return "done"

    async def both() -> str:
        first, second = (
            kind(kind.Config()).attach(JobContext(log_file=tmp_path / name))
            for kind, name in ((Waits, "first.log"), (Trainer, "second.log"))
        )
        begin = asyncio.Event()

        async def after() -> None:
            await begin.wait()
            await second.run("train")

        other = asyncio.create_task(after())
        asyncio.get_running_loop().call_soon(begin.set)
        return str(await first.run("train", other))

    assert asyncio.run(both()) == "done"


# -- command executors -------------------------------------------------------------------------------------------------------


class Counts(CommandExecutor):
    class Config(CommandConfig):
        folder: str

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        for name in ("a", "b"):
            path = f"{self.config.folder}/{name}"
            yield Task(name, ("sh", "-c", f"seq 3; echo {name} > {path}"), (path,))

    async def _watch_run(self, line: str, **kwargs: Any) -> None:
        if line == "2":
            raise ValueError("no two")
        loops: set[int] = self.__dict__.setdefault("loops", set())
        loops.add(id(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        if len(loops) == 1:  # what belongs to a loop may be kept from line to line
            self.watcher.watch(int(line), self.context.task)


class Record:
    def __init__(self) -> None:
        self.values: list[tuple[str, Any]] = []

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        self.values.append((meta_name, res))

    def watch_table(self, title: str, columns: Any, rows: Any, notes: Any = ()) -> None:
        """No table."""

    def query(self, meta_name: str) -> None:
        """No value."""


def test_the_watcher_of_a_tasks_lines_may_be_async(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = Record()
    executor = Counts(Counts.Config(folder=str(tmp_path))).attach(JobContext(watcher=record))
    asyncio.run(executor.run("train"))
    assert record.values == [("a", 1), ("a", 3), ("b", 1), ("b", 3)]
    assert caplog.text.count("ValueError: no two") == 2
