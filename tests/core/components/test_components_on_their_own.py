"""A component can be made and used without an engine, as in a notebook or its author's tests."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseEvaluator, BaseModelExecutor, ComponentConfig, InputPath, JobContext


class Words(BaseEvaluator):
    class Config(ComponentConfig):
        dataset_path: InputPath
        num_proc: int = 1
        outside_key = frozenset({"num_proc"})

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> int:
        self.watcher.watch(1, "seen")
        self.logger.info("counting")
        return len(Path(self.config.dataset_path).read_text().split())


def test_an_evaluator_runs_without_an_engine(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two")
    assert Words(Words.Config(dataset_path=str(tmp_path / "a.txt"))).run("data") == 2


def test_what_is_outside_the_key_is_not_among_the_key_fields() -> None:
    assert Words(Words.Config(dataset_path="a", num_proc=8)).key_fields() == {"dataset_path": "a"}


class Trainer(BaseModelExecutor):
    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> str:
        for step in range(3):
            print(f"step {step}", end="\r")
        print("done")
        deadline = time.monotonic() + 60
        while len(self.lines) < 4 and time.monotonic() < deadline:  # never awaits: the watching must not need it
            time.sleep(0.001)
        return run_type

    lines: list[str]

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        if line:
            self.lines.append(line)
        if line == "step 1":
            raise ValueError("a line that cannot be parsed")


def test_log_lines_are_watched_while_the_run_blocks_split_at_carriage_returns_too(tmp_path: Path) -> None:
    trainer = Trainer(Trainer.Config()).attach(JobContext(log_file=tmp_path / "log.txt"))
    trainer.lines = []
    assert asyncio.run(trainer.run("train")) == "train"
    assert trainer.lines == ["step 0", "step 1", "step 2", "done"]
    assert "step 2" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("ending", ["\n", "\r", ""])
def test_the_last_line_is_watched_however_it_ends(tmp_path: Path, ending: str) -> None:
    class Short(Trainer):
        async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> str:
            print("loss 0.5", end=ending)
            return ""

    trainer = Short(Short.Config()).attach(JobContext(log_file=tmp_path / "log.txt"))
    trainer.lines = []
    asyncio.run(trainer.run("train"))
    assert trainer.lines == ["loss 0.5"]
