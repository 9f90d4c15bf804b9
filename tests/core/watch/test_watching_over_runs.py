"""What is recorded outlives its run: seen by the next one only where it takes it over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from djsandbox.errors import SandboxError
from djsandbox.watch.bound import BoundWatcher
from djsandbox.watch.watcher import SandboxWatcher

Job = Callable[..., BoundWatcher]
Lines = Callable[[Path], list[dict[str, Any]]]


def test_a_new_run_does_not_see_what_an_earlier_one_recorded(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch({"a": 1})
    watcher = SandboxWatcher(tmp_path)
    watcher.start("r2")
    assert watcher.query("analysis") is None
    assert watcher.tables() == []


def test_opened_afterwards_a_query_sees_the_last_run_only(tmp_path: Path, job: Job) -> None:
    first = SandboxWatcher(tmp_path)
    job(first).watch({"old": 1, "both": 1})
    first.watch_cfgs([({"a": 1}, "sandbox")])
    job(SandboxWatcher(tmp_path), run="r2").watch({"both": 2})
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == {"both": 2}
    assert again.history("analysis.both") == [(None, 2)]
    assert again.configs() == {}


def test_a_run_that_records_nothing_hides_the_one_before(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch(1)
    SandboxWatcher(tmp_path).start("r2")
    assert SandboxWatcher(tmp_path).query("analysis") is None


def test_opened_without_a_run_it_follows_what_another_process_records(tmp_path: Path, job: Job) -> None:
    looking = SandboxWatcher(tmp_path)
    writing = SandboxWatcher(tmp_path)
    assert looking.query("analysis") is None
    for value in (1, 2):
        job(writing).watch(value)
        assert looking.query("analysis") == value


def test_a_reused_job_counts_as_recorded_in_the_run_that_reuses_it(tmp_path: Path, job: Job) -> None:
    first = SandboxWatcher(tmp_path)
    job(first).watch({"mean": 1, "std": 2}, step=5)
    job(first).watch_table("T", ["a"], [[1]])
    job(first, "train").watch({"loss": 3})
    resumed = SandboxWatcher(tmp_path)
    resumed.start("r2")
    resumed.adopt("r1/1/analysis")
    for watcher in (resumed, SandboxWatcher(tmp_path)):
        assert watcher.query("analysis") == {"mean": 1, "std": 2}
        assert watcher.history("analysis.mean") == [(5, 1)]
        assert [table.title for table in watcher.tables()] == ["T"]
        assert watcher.query("train") is None


def test_what_was_adopted_can_be_adopted_again_by_a_third_run(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    for run in ("r2", "r3"):
        watcher = SandboxWatcher(tmp_path)
        watcher.start(run)
        watcher.adopt("r1/1/analysis")
        assert watcher.query("analysis") == {"mean": 1}
    assert SandboxWatcher(tmp_path).query("analysis") == {"mean": 1}


def test_adopting_keeps_what_the_run_has_recorded_before_and_lets_it_record_on(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    resumed = SandboxWatcher(tmp_path)
    job(resumed, "first", run="r2").watch(1)
    resumed.adopt("r1/1/analysis")
    job(resumed, "later", run="r2").watch(2)
    resumed.adopt("r2/1/first")
    for watcher in (resumed, SandboxWatcher(tmp_path)):
        assert [watcher.query(name) for name in ("first", "analysis.mean", "later")] == [1, 1, 2]
        assert watcher.history("first") == [(None, 1)]


def test_an_attempt_that_recorded_nothing_is_adopted_without_a_trace(tmp_path: Path, lines: Lines) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.start("r2")
    watcher.adopt("r1/1/silent")
    assert [line["kind"] for line in lines(tmp_path)] == ["run"]


def test_without_a_run_adopting_changes_what_is_seen_and_not_the_record(tmp_path: Path, job: Job, lines: Lines) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    SandboxWatcher(tmp_path).start("r2")
    before = lines(tmp_path)
    planning = SandboxWatcher(tmp_path)
    planning.adopt("r1/1/analysis")
    assert planning.bind("p/refine_recipe/0", "analysis", "", "", 1).query("analysis") == {"mean": 1}
    assert lines(tmp_path) == before


def test_the_next_attempt_of_a_job_replaces_what_its_last_one_measured(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher, iteration=1).watch({"text_len": {"mean": 1}, "words": {"mean": 2}})
    job(watcher, "other", iteration=1).watch(9)
    second = job(watcher, iteration=2)
    assert second.query("analysis.words.mean") == 2
    second.watch({"text_len": {"mean": 3}})
    for view in (watcher, SandboxWatcher(tmp_path)):
        assert view.query("analysis") == {"text_len": {"mean": 3}}
        assert view.query("other") == 9
        assert view.history("analysis.text_len.mean") == [(None, 1), (None, 3)]


def test_an_iteration_that_shares_a_result_of_this_run_sees_its_metrics_and_shows_its_tables_once(
    tmp_path: Path, job: Job
) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher, iteration=1).watch({"a": 1}, step=0)
    job(watcher, iteration=1).watch_table("T", ["a"], [[1]])
    job(watcher, iteration=2).watch({"b": 2}, step=0)
    watcher.adopt("r1/1/analysis")
    for view in (watcher, SandboxWatcher(tmp_path)):
        assert view.query("analysis") == {"a": 1}
        assert view.history("analysis.a") == [(0, 1)]
        assert len(view.tables()) == 1


# -- surviving -----------------------------------------------------------------------------------------------------------

WRITER = """
from djsandbox.watch.watcher import SandboxWatcher
watcher = SandboxWatcher({work_dir!r}).bind("p/train/0", "train", "r1/1/train", "r1", 1)
watcher.watch(-1, "train.started")
print("ready", flush=True)
step = 0
while True:
    watcher.watch({{"loss": step, "padding": "x" * 3000}}, step=step)
    step += 1
"""


def test_the_record_of_a_run_that_was_killed_can_be_read_adopted_and_continued(
    tmp_path: Path, start_python: Callable[[str], Popen[str]], job: Job
) -> None:
    writer = start_python(WRITER.format(work_dir=str(tmp_path)))
    while len(SandboxWatcher(tmp_path).history("train.loss")) < 10:
        pass
    writer.kill()
    writer.wait()
    survived = SandboxWatcher(tmp_path).history("train.loss")
    assert survived == [(step, step) for step in range(len(survived))]
    resumed = SandboxWatcher(tmp_path)
    resumed.start("r2")
    resumed.adopt("r1/1/train")
    job(resumed, "next", run="r2").watch(1)
    assert SandboxWatcher(tmp_path).history("train.loss") == survived
    assert SandboxWatcher(tmp_path).query("next") == 1


def test_half_a_last_line_is_ignored_and_the_next_metric_is_whole(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch({"a": 1, "b": 2})
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == {"a": 1}
    again.watch(3, "c")
    assert SandboxWatcher(tmp_path).query("analysis") == {"a": 1}
    assert SandboxWatcher(tmp_path).query("c") == 3


def test_a_line_in_the_middle_that_cannot_be_read_is_named(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch(1)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write("broken\n")
    with pytest.raises(SandboxError, match=r"metrics\.jsonl:3"):
        SandboxWatcher(tmp_path).query("analysis")
