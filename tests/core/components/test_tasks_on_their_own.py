"""Tasks as a component's author meets them: what a task may be, and a command executor used outside of a run."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox import CommandConfig, CommandExecutor, ComponentConfig, ComponentError, JobContext, OutputPath, Task


def task(**changes: Any) -> Task:
    return Task(**{"name": "one", "argv": ("true",), "outputs": ("out",), **changes})


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\nb", "a\0b"])
def test_a_name_that_cannot_name_a_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a task"):
        task(name=name)


@pytest.mark.parametrize("argv", ["rm -rf x", b"true", ("true", 1)])
def test_a_command_that_is_one_text_or_has_other_than_texts_is_refused(argv: Any) -> None:
    with pytest.raises(TypeError, match="argv is a sequence of texts"):
        task(argv=argv)


@pytest.mark.parametrize(
    "wrong",
    [
        {"argv": ()},
        {"argv": ("",)},
        {"outputs": ()},
        {"outputs": ("",)},
        {"cpus": -1},
        {"gpus": 0.5},
        {"gpus": True},
        {"timeout": 0},
    ],
    ids=str,
)
def test_what_cannot_be_run_or_proven_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="task 'one'"):
        task(**wrong)


def test_a_single_path_is_no_list_of_outputs() -> None:
    with pytest.raises(TypeError, match="outputs is a sequence"):
        task(outputs="model")


def test_a_task_is_frozen_and_takes_paths_and_lists(tmp_path: Path) -> None:
    made = task(argv=["true"], outputs=[tmp_path / "model"], env={"A": "b"}, keep_env=["HF_TOKEN"])
    assert made.argv == ("true",)
    assert made.outputs == (str(tmp_path / "model"),)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "two"  # type: ignore[misc]
    with pytest.raises(TypeError):
        made.env["A"] = "c"  # type: ignore[index]


def test_a_command_in_one_text_is_not_shown_because_it_may_hold_a_secret() -> None:
    with pytest.raises(TypeError) as wrong:
        task(argv="prog --api-key hunter2")
    assert "hunter2" not in str(wrong.value) and "argv" in str(wrong.value)


@pytest.mark.parametrize("config", [ComponentConfig, dict])
def test_a_command_executor_without_the_options_of_its_tasks_is_refused_when_it_is_written(config: Any) -> None:
    with pytest.raises(TypeError, match=r"class Config\(CommandConfig\)"):
        type("Mine", (CommandExecutor,), {"Config": config})


def test_the_values_of_variables_are_not_shown() -> None:
    assert "hunter2" not in repr(task(env={"PASSWORD": "hunter2"}))


class Shell(CommandExecutor):
    """Runs one script a name; `$0` is the name and `$1` the output."""

    class Config(CommandConfig):
        folder: OutputPath
        script: str
        names: list[str] = ["a", "b"]
        quiet: bool = True

        outside_key = frozenset({"quiet"})

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        for name in self.config.names:
            path = f"{self.config.folder}/{name}"
            yield Task(name, ("sh", "-c", self.config.script, name, path), (path,))

    def task_result(self, task: Task) -> str:
        text = Path(task.outputs[0]).read_text().strip()
        if text == "rubbish":
            raise ValueError("this is no model")
        return text

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        if line.startswith("loss"):
            self.watcher.watch({self.context.task: float(line.split()[1])})


class Watched:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        self.seen.append(res)


def run(tmp_path: Path, script: str, watcher: Any = None, **config: Any) -> Any:
    executor = Shell(Shell.Config(folder=str(tmp_path / "made"), script=script, **config))
    context = JobContext(watcher=watcher) if watcher else JobContext()
    return asyncio.run(executor.attach(context).run("train"))


def test_a_command_executor_works_outside_of_a_run_and_gives_its_results_in_order(tmp_path: Path) -> None:
    assert run(tmp_path, "echo made by $0 > $1", names=["b", "a"]) == ["made by b", "made by a"]


def test_lines_of_a_task_become_metrics_of_that_task(tmp_path: Path) -> None:
    watcher = Watched()
    run(tmp_path, "echo loss 0.5; echo other; echo x > $1", watcher)
    assert watcher.seen == [{"a": 0.5}, {"b": 0.5}]


def test_a_line_that_cannot_be_read_stops_nothing_and_is_complained_of_once_a_task(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(tmp_path, "echo loss of words; echo loss of sleep; echo fine > $1", Watched()) == ["fine", "fine"]
    assert caplog.text.count("cannot read a metric from this line, and perhaps others: loss of words") == 2
    assert "loss of sleep" not in caplog.text


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo so far; exit 3", ["ended with exit code 3", "so far"]),
        ("echo forgetful", ["did not write its output", "made/a", "forgetful"]),
        ("exec missing-program", ["exit code 127"]),
    ],
)
def test_a_task_that_fails_says_which_and_why(tmp_path: Path, script: str, said: list[str]) -> None:
    with pytest.raises(ComponentError, match="task 'a' failed") as caught:
        run(tmp_path, script)
    for text in said:
        assert text in str(caught.value)


def test_an_output_that_was_there_before_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a").write_text("of last week")
    with pytest.raises(ComponentError, match="an old one, which it has not written again"):
        run(tmp_path, "true")


def test_a_task_is_tried_again_as_often_as_it_may_be(tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) -gt 2 ] && echo at last > $1"
    assert run(tmp_path, script, names=["a"], retries=2) == ["at last"]
    with pytest.raises(ComponentError):
        run(tmp_path, "exit 1", names=["a"], retries=2)


def test_what_a_failed_try_left_half_written_does_not_pass_for_the_result_of_the_next(tmp_path: Path) -> None:
    script = f"[ -e {tmp_path}/tried ] && exit 0; touch {tmp_path}/tried; echo half > $1; exit 3"
    with pytest.raises(ComponentError, match="an old one"):
        run(tmp_path, script, names=["a"], retries=1)


def test_how_tasks_are_run_stays_outside_the_key_with_the_fields_a_subclass_names() -> None:
    ways = {"launcher": {"type": "local", "max_parallel": 9}, "on_failure": "finish_others", "retries": 3, "timeout": 5.0}
    plain = Shell(Shell.Config(folder="f", script="s"))
    other = Shell(Shell.Config(folder="f", script="s", quiet=False, **ways))
    assert plain.key_fields() == other.key_fields()
    assert set(plain.key_fields()) == {"folder", "script", "names"}


def test_python_programs_of_tasks_see_no_pythonpath(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code = "import os, sys; open(sys.argv[1], 'w').write(os.environ.get('PYTHONPATH', 'none'))"
    assert run(tmp_path, f'{sys.executable} -c "{code}" $1', names=["a"]) == ["none"]
