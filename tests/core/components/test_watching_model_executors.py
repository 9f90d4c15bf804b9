"""What a model executor prints is seen line by line while it works, and whatever goes wrong with that, the work goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseModelExecutor, JobContext
from djsandbox.components.model_executor import END_OF_RUN
from djsandbox.process.capture import captured

SECRET = "s3cret-value"
FOREVER = 60.0
"""Seconds after which what waits has failed; none comes near it."""


class Trainer(BaseModelExecutor):
    """Does what it is told, and keeps the lines that it saw."""

    def does(self, *work: Callable[[], Any]) -> Trainer:
        self.work = work
        self.lines: list[str] = []
        self.saw = threading.Condition()
        return self

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> list[Any]:
        return [work() for work in self.work]

    def _watch_run(self, line: str, **kwargs: Any) -> Any:
        with self.saw:
            self.lines.append(line)
            self.saw.notify_all()

    def wait_for(self, line: str) -> None:
        with self.saw:
            assert self.saw.wait_for(lambda: line in self.lines, FOREVER), self.lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def trainer(log: Path, kind: type[Trainer] = Trainer) -> Trainer:
    logger = logging.Logger("of the job")
    return kind(kind.Config()).attach(JobContext(log_file=log, logger=logger))


def run(executor: Trainer, **kwargs: Any) -> Any:
    return asyncio.run(executor.run("train", **kwargs))


def test_what_python_children_print_is_seen_while_they_run(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    executor = trainer(log)

    def work() -> None:
        argv = [sys.executable, "-c", "print('begun'); input(); print('ended')"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE) as child:
            executor.wait_for("begun")
            child.communicate(b"\n")

    run(executor.does(work))
    assert executor.lines == ["begun", "ended"]
    assert "PYTHONUNBUFFERED" not in os.environ


def test_run_may_forget_that_it_is_async(log: Path) -> None:
    class Plain(Trainer):
        def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
            return "done"

    assert run(trainer(log, Plain).does()) == "done"


@contextlib.contextmanager
def in_a_job(executor: Trainer, secrets: frozenset[str] = frozenset()) -> Any:
    """As in a run of the sandbox: the output is captured already, and the logger writes to the log."""
    assert executor.context.log_file is not None
    with captured(executor.context.log_file, secrets) as capture:
        handler = logging.StreamHandler(capture)
        executor.logger.addHandler(handler)
        yield
        executor.logger.removeHandler(handler)


@pytest.mark.parametrize("secrets", [frozenset(), frozenset({SECRET})], ids=["direct", "with secrets"])
@pytest.mark.parametrize(
    "say",
    [
        lambda: print(f"loss {SECRET}"),
        lambda: os.write(1, f"loss {SECRET}\r".encode()),
        lambda: subprocess.run(["echo", f"loss {SECRET}"], check=True),
    ],
    ids=["print", "a carriage return", "a child process"],
)
def test_lines_are_seen_while_the_run_blocks(log: Path, secrets: frozenset[str], say: Callable[[], Any]) -> None:
    executor = trainer(log)
    executor.does(say, lambda: executor.wait_for("loss ***" if secrets else f"loss {SECRET}"))
    with in_a_job(executor, secrets):
        run(executor)


def test_on_its_own_it_captures_its_output_itself_with_that_of_its_children(log: Path) -> None:
    executor = trainer(log)
    executor.does(lambda: subprocess.run(["echo", "from below"], check=True), lambda: executor.wait_for("from below"))
    run(executor)
    assert executor.lines == ["from below"]
    assert log.read_text().startswith("from below\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("a\rb\r", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\n\nb\n\n", ["a", "", "b", ""]),
        ("\n", [""]),
        ("", []),
        (f"{END_OF_RUN}\nb\n", [END_OF_RUN, "b"]),
        (f"{END_OF_RUN} 0123\nb\n", [f"{END_OF_RUN} 0123", "b"]),
        (f"a {END_OF_RUN} {'0' * 32}\nb", [f"a {END_OF_RUN} {'0' * 32}", "b"]),
    ],
)
def test_exactly_the_lines_that_were_printed_are_seen_and_what_looks_like_the_end_is_not(
    log: Path, text: str, lines: list[str]
) -> None:
    executor = trainer(log).does(lambda: print(text, end=""))
    run(executor)
    assert executor.lines == lines


def test_the_end_marker_is_the_last_line_of_the_log_and_another_one_each_time(tmp_path: Path) -> None:
    ends = []
    for name in ("a", "b"):
        run(trainer(tmp_path / name).does(lambda: print("step")))
        ends.append((tmp_path / name).read_text().splitlines()[-1])
    assert all(end.startswith(END_OF_RUN) for end in ends)
    assert ends[0] != ends[1]


def test_two_executors_of_one_job_see_their_own_lines_only(log: Path) -> None:
    first, second = trainer(log), trainer(log)
    with in_a_job(first):
        print("of the job")
        run(first.does(lambda: print("of the first")))
        run(second.does(lambda: print("of the second")))
    assert (first.lines, second.lines) == (["of the first"], ["of the second"])


# -- what goes wrong ---------------------------------------------------------------------------------------------------------


def boom() -> None:
    print("last words", end="")
    raise KeyError("boom")


@pytest.mark.parametrize(
    "work",
    [
        boom,
        lambda: (print("last words"), sys.exit(3)),
        lambda: (print("last words"), sys.stdout.close(), sys.stderr.close()),
        lambda: (print("last words"), os.close(1), os.close(2)),
        lambda: (print("last words", flush=True), os.dup2(os.open(os.devnull, os.O_WRONLY), 1)),
    ],
    ids=["an error", "an exit", "closed streams", "closed files", "another output"],
)
def test_however_the_run_ends_its_last_words_are_seen_and_the_watching_ends(log: Path, work: Callable[[], Any]) -> None:
    executor = trainer(log).does(work)
    with contextlib.suppress(KeyError, SystemExit):
        run(executor)
    assert executor.lines == ["last words"]


@pytest.mark.parametrize("lose", [lambda log: log.unlink(), lambda log: os.truncate(log, 0)], ids=["removed", "emptied"])
def test_the_watching_ends_also_where_the_log_is_lost(log: Path, lose: Callable[[Path], Any]) -> None:
    executor = trainer(log)
    executor.does(lambda: print("x" * 10_000), lambda: executor.wait_for("x" * 10_000), lambda: lose(log))
    run(executor)


def test_what_still_holds_the_output_does_not_hold_up_the_end(log: Path) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sh", "-c", "echo begun; read word; echo late"], stdin=subprocess.PIPE)

    executor = trainer(log)
    [child, _] = run(executor.does(start, lambda: executor.wait_for("begun")))
    assert child.poll() is None
    child.communicate(b"\n")
    assert executor.lines == ["begun"]


class Raises(Trainer):
    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        raise RuntimeError("no eyes")


class Exits(Trainer):
    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        sys.exit(1)


class IsNotAsync(Trainer):
    def watch_run(self, log_file: Path, **kwargs: Any) -> None:  # type: ignore[override]
        raise RuntimeError("no eyes")


@pytest.mark.parametrize("kind", [Raises, Exits, IsNotAsync])
def test_a_watcher_that_fails_is_told_of_with_its_traceback_and_fails_nothing(log: Path, kind: type[Trainer]) -> None:
    executor = trainer(log, kind).does(lambda: "model")
    with in_a_job(executor):
        assert run(executor) == ["model"]
    text = log.read_text()
    assert "watch_run failed" in text
    assert "Traceback" in text
    assert "in watch_run" in text


class ReturnsEarly(Trainer):
    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        pass


def test_a_watcher_that_returns_early_is_no_error(log: Path) -> None:
    executor = trainer(log, ReturnsEarly).does(lambda: "model")
    with in_a_job(executor):
        assert run(executor) == ["model"]
    assert "failed" not in log.read_text()


class Parses(Trainer):
    def _watch_run(self, line: str, **kwargs: Any) -> None:
        if "loss:" in line:
            float(line.split("loss:")[1])
        super()._watch_run(line)


def test_a_line_that_cannot_be_read_is_told_of_once_though_the_telling_cannot_be_read_either(log: Path) -> None:
    executor = trainer(log, Parses)
    executor.does(lambda: print("loss: what?\nloss: that?\nloss: 1"), lambda: executor.wait_for("loss: 1"))
    with in_a_job(executor):
        run(executor)
    assert log.read_text().count("cannot read a metric from this line, and perhaps others: loss: what?") == 1
    assert log.read_text().count("Traceback") == 1


# -- what one may override ---------------------------------------------------------------------------------------------------


class Awaits(Trainer):
    async def _watch_run(self, line: str, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.loops = {*getattr(self, "loops", ()), id(asyncio.get_running_loop())}
        super()._watch_run(line)


def test_the_watcher_of_lines_may_be_async(log: Path) -> None:
    executor = trainer(log, Awaits)
    executor.does(lambda: print("one\ntwo"), lambda: executor.wait_for("two"))
    run(executor)
    assert executor.lines == ["one", "two"]
    assert len(executor.loops) == 1  # type: ignore[attr-defined]


class ReadsItself(Trainer):
    """Follows the log with means of its own, and ends at the end marker, as the guide has it."""

    exactly = True

    async def watch_run(self, log_file: Path, **kwargs: Any) -> None:
        self.given = kwargs
        async for line in self._follow(log_file):
            if (line == self.end_of_run) if self.exactly else (END_OF_RUN in line):
                return
            self._watch_run(line)

    async def _follow(self, log_file: Path) -> AsyncIterator[str]:
        with log_file.open() as log:
            pending = ""
            while True:
                *lines, pending = (pending + log.read()).split("\n")
                for line in lines:
                    yield line
                await asyncio.sleep(0.001)


class ReadsLoosely(ReadsItself):
    exactly = False


@pytest.mark.parametrize("kind", [ReadsItself, ReadsLoosely])
def test_who_watches_with_means_of_his_own_finds_the_end(log: Path, kind: type[Trainer]) -> None:
    executor = trainer(log, kind)
    executor.does(lambda: print("one"), lambda: executor.wait_for("one"))
    run(executor, epoch=3)
    assert [line for line in executor.lines if line] == ["one"]
    assert executor.given == {"epoch": 3}  # type: ignore[attr-defined]
