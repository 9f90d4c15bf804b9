"""What tasks record: by task and try, taken over task by task."""

from __future__ import annotations

import json
from pathlib import Path

from djsandbox.watch.bound import BoundWatcher
from djsandbox.watch.watcher import SandboxWatcher


def job(watcher: SandboxWatcher, run: str = "r1") -> BoundWatcher:
    return watcher.bind("p/execution/0", "train", f"{run}/1/p/execution/0", run, 1)


def retry(watcher: SandboxWatcher, task: BoundWatcher) -> None:
    watcher.retry_task(task.source)


def test_a_metric_of_a_task_bears_its_job_its_name_its_try_and_its_step(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).of_task("small", 2).watch({"loss": 0.5}, step=3)
    line = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert {key: line[key] for key in ("job", "task", "try", "name", "value", "step")} == {
        "job": "p/execution/0", "task": "small", "try": 2, "name": "train.loss", "value": 0.5, "step": 3,
    }  # fmt: skip


def test_observers_are_told_the_task(tmp_path: Path) -> None:
    told: list[str] = []
    watcher = SandboxWatcher(tmp_path, notify=lambda hook_name, **arguments: told.append(arguments["task"]))
    job(watcher).watch(1)
    job(watcher).of_task("small", 1).watch(2)
    job(watcher).of_task("small", 1).watch_table("T", ["a"], [[1]])
    assert told == ["", "small", "small"]


def test_tasks_side_by_side_do_not_replace_each_other(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    one = job(watcher)
    for step in (1, 2):
        for name in "ab":
            one.of_task(name, 1).watch({name: step}, step=step)
    one.watch({"whole": 1})
    assert watcher.query("train") == {"a": 2, "b": 2, "whole": 1}
    assert watcher.history("train.a") == [(1, 1), (2, 2)]


def test_a_task_tried_again_replaces_only_its_own(tmp_path: Path) -> None:
    for watcher in (SandboxWatcher(tmp_path), SandboxWatcher(tmp_path)):  # while recording, and read back later
        if not watcher.path.exists():
            one = job(watcher)
            one.watch({"whole": 1})
            one.of_task("a", 1).watch({"a": {"loss": 9, "only_once": 1}}, step=1)
            one.of_task("a", 1).watch_table("of the first try", ["x"], [[1]])
            one.of_task("b", 1).watch({"b": 5}, step=1)
            retry(watcher, one.of_task("a", 2))
            one.of_task("a", 2).watch({"a": {"loss": 4}}, step=1)
        assert watcher.query("train") == {"whole": 1, "a": {"loss": 4}, "b": 5}
        assert watcher.history("train.a.loss") == [(1, 4)]
        assert watcher.history("train.a.only_once") == []
        assert watcher.tables() == []


def test_what_two_tasks_record_under_one_name_belongs_to_the_last(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    one = job(watcher)
    one.of_task("a", 1).watch({"loss": 1})
    one.of_task("b", 1).watch({"loss": 2})
    retry(watcher, one.of_task("a", 2))
    assert watcher.query("train.loss") == 2
    assert watcher.history("train.loss") == [(None, 2)]


def test_a_task_taken_over_does_not_clear_the_rest_of_its_job(tmp_path: Path) -> None:
    first = job(SandboxWatcher(tmp_path))
    first.of_task("a", 1).watch({"a": 1}, step=1)
    first.of_task("a", 1).watch({"a": 2}, step=2)
    first.of_task("b", 1).watch({"b": 7}, step=1)  # and was killed then

    later = SandboxWatcher(tmp_path)
    second = job(later, "r2")
    later.start("r2")
    second.watch({"begun": 1})
    later.adopt_task(second.of_task("a", 1).source, first.source.attempt)
    second.of_task("b", 1).watch({"b": 8}, step=1)
    assert later.query("train") == {"begun": 1, "a": 2, "b": 8}
    assert later.history("train.a") == [(1, 1), (2, 2)]
    assert later.history("train.b") == [(1, 8)]


def test_a_job_reused_as_a_whole_brings_what_its_tasks_had_taken_over(tmp_path: Path) -> None:
    first = job(SandboxWatcher(tmp_path))
    first.of_task("a", 1).watch({"a": 1})
    middle = SandboxWatcher(tmp_path)
    middle.start("r2")
    second = job(middle, "r2")
    middle.adopt_task(second.of_task("a", 1).source, first.source.attempt)
    second.of_task("b", 1).watch({"b": 2})

    last = SandboxWatcher(tmp_path)
    last.start("r3")
    assert last.query("train") is None
    last.adopt(second.source.attempt)
    assert last.query("train") == {"a": 1, "b": 2}
    last.adopt(second.source.attempt)  # shared by another iteration
    assert last.history("train.a") == [(None, 1)]


def test_a_later_attempt_of_the_job_replaces_what_all_its_tasks_recorded(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher).of_task("a", 1).watch({"a": 1})
    watcher.bind("p/execution/0", "train", "r1/2/p/execution/0", "r1", 2).of_task("b", 1).watch({"b": 2})
    assert watcher.query("train") == {"b": 2}


def test_what_a_task_asks_counts_as_asked_by_its_job(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    one = job(watcher)
    one.of_task("a", 1).query("analysis")
    assert list(one.queried) == ["analysis"]
