"""Evaluators whose work is done in tasks: on their own, and in a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import (
    BaseEvaluator,
    CommandConfig,
    CommandEvaluator,
    ComponentConfig,
    ComponentError,
    JobContext,
    OutputPath,
    Task,
)
from djsandbox.errors import JobFailed

PARTS = '''
import json
from pathlib import Path

from djsandbox import CommandConfig, CommandEvaluator, OutputPath, Task


class Score(CommandEvaluator):
    """Runs one script a name; `$0` is the name and `$1` the output."""

    class Config(CommandConfig):
        folder: OutputPath
        script: str
        names: list[str] = ["a", "b"]

    def tasks(self, eval_type, eval_obj=None):
        for name in self.config.names:
            path = f"{self.config.folder}/{name}"
            yield Task(name, ("sh", "-c", self.config.script, name, path), (path,))

    def task_result(self, task):
        return float(Path(task.outputs[0]).read_text())

    def job_result(self, results):
        return sum(results) / len(results)

    def _watch_run(self, line, **kwargs):
        if line.startswith("score so far"):
            self.watcher.watch({self.context.task: {"so_far": float(line.split()[-1])}}, step=1)
'''
NOTED = "echo $0 >> calls; echo score so far 1; echo 4 > $1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "parts.py").write_text(PARTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, hook: str, script: str, **config: Any) -> None:
    extra = {"type": "./parts.py:Score", "folder": "out", "script": script, **config}
    job = {"hook": hook, "meta_name": "score", "output": ["mean"], "extra_configs": extra}
    (folder / "sandbox.yaml").write_text(json.dumps({"evaluation_job_configs": [job]}))


def context_infos(folder: Path) -> Any:
    (found,) = (folder / "outputs").rglob("context_infos.json")
    return json.loads(found.read_text())


@pytest.mark.parametrize("hook", ["EvaluateDataHook", "EvaluateModelHook"])
def test_an_evaluator_in_tasks_gives_one_result_in_a_run(folder: Path, hook: str) -> None:
    write(folder, hook, f"{NOTED}; [ $0 = b ] && echo 2 > $1; exit 0")
    djsandbox.run("sandbox.yaml")
    assert context_infos(folder)["anonymous"][0]["mean"] == 3.0
    (journal,) = (folder / "outputs").rglob("journal.jsonl")
    told = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {event["task"] for event in told if event["event"] == "task_finished"} == {"a", "b"}


def test_on_resume_only_the_tasks_that_had_not_finished_are_run(folder: Path) -> None:
    (folder / "broken").touch()
    write(folder, "EvaluateDataHook", f"[ $0 = b ] && [ -e broken ] && exit 3; {NOTED}", launcher={"max_parallel": 1})
    with pytest.raises(JobFailed, match="task 'b' failed"):
        djsandbox.run("sandbox.yaml")
    (folder / "broken").unlink()
    djsandbox.run("sandbox.yaml", resume=True)
    assert (folder / "calls").read_text().split() == ["a", "b"]
    assert context_infos(folder)["anonymous"][0]["mean"] == 4.0


def test_a_wrong_launcher_is_found_before_the_run(folder: Path) -> None:
    write(folder, "EvaluateDataHook", NOTED, launcher={"type": "lokal"})
    with pytest.raises(djsandbox.SandboxError, match="lokal"):
        djsandbox.validate("sandbox.yaml")


class Measure(CommandEvaluator):
    """Writes a number a name, and sees each line."""

    class Config(CommandConfig):
        folder: OutputPath
        script: str = "echo line of $0; echo 1 > $1"
        names: list[str] | None = ["a", "b"]

    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterator[Task]:
        if self.config.names is None:
            return None  # type: ignore[return-value]
        return (self._task(name, eval_type, eval_obj) for name in self.config.names)

    def _task(self, name: str, eval_type: str, eval_obj: Any) -> Task:
        path = f"{self.config.folder}/{name}_{eval_type}_{eval_obj}"
        return Task(name, ("sh", "-c", self.config.script, name, path), (path,))

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        self.watcher.watch({self.context.task: line})


class Watched:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        self.seen.append(res)


def test_it_works_outside_of_a_run_and_each_task_has_a_context_of_its_own(tmp_path: Path) -> None:
    watcher: Any = Watched()
    evaluator = Measure(Measure.Config(folder=str(tmp_path))).attach(JobContext(watcher=watcher))
    assert evaluator.run("data", 7) == [f"{tmp_path}/a_data_7", f"{tmp_path}/b_data_7"]
    assert watcher.seen == [{"a": "line of a"}, {"b": "line of b"}]
    assert evaluator.context.task == ""


def test_it_can_be_run_where_an_event_loop_is_running_already_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> Any:
        return Measure(Measure.Config(folder=str(tmp_path))).run("data", 7)

    assert asyncio.run(cell()) == [f"{tmp_path}/a_data_7", f"{tmp_path}/b_data_7"]


def test_what_is_no_task_is_told_under_the_evaluators_own_name(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"Measure\.tasks\(\) gave no tasks, but None"):
        Measure(Measure.Config(folder=str(tmp_path), names=None)).run("data")


def test_there_is_no_evaluation_where_a_task_fails(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="task 'b' failed"):
        Measure(Measure.Config(folder=str(tmp_path), script="[ $0 = b ] && exit 3; echo 1 > $1")).run("data")


def test_it_is_an_evaluator_and_no_model_executor() -> None:
    assert issubclass(CommandEvaluator, BaseEvaluator)
    assert not issubclass(CommandEvaluator, djsandbox.BaseModelExecutor)


@pytest.mark.parametrize("config", [ComponentConfig, dict])
def test_a_command_evaluator_without_the_options_of_its_tasks_is_refused_when_it_is_written(config: Any) -> None:
    with pytest.raises(TypeError, match=r"class Config\(CommandConfig\)"):
        type("Mine", (CommandEvaluator,), {"Config": config})
