from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace
from typing import Any

import pytest
from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import Watcher
from djsandbox.errors import SandboxError
from djsandbox.watch.bound import BoundWatcher
from djsandbox.watch.watcher import SandboxWatcher, Table


def job(watcher: SandboxWatcher, name: str = "analysis", *, run: str = "r1", iteration: int = 1) -> BoundWatcher:
    """The watcher of the job `p/probe/<name>`, whose meta_name is `name`, in its only attempt of `run`."""
    return watcher.bind(f"p/probe/{name}", name, f"{run}/{iteration}/{name}", run, iteration)


def lines(work_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (work_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


# -- watching and querying -----------------------------------------------------------------------------------------------


def test_a_value_is_found_under_the_meta_name_of_the_job_that_recorded_it(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    bound: Watcher = job(watcher)
    bound.watch(0.5)
    assert bound.query("analysis") == watcher.query("analysis") == 0.5


def test_a_job_without_a_meta_name_records_under_its_id(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.bind("p/probe/0", "", "a", "r1", 1).watch({"loss": 1})
    assert watcher.query("p/probe/0.loss") == 1
    assert watcher.query("p/probe/0") == {"loss": 1}


def test_a_nested_result_comes_back_whole_in_part_and_singly(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    stats = {"text_len": {"mean": 3.5, "std": 1, "name": "长度"}, "words": {"mean": 2}, "ok": True}
    job(watcher).watch(stats)
    assert watcher.query("analysis") == stats
    assert watcher.query("analysis.text_len") == stats["text_len"]
    assert watcher.query("analysis.text_len.mean") == 3.5
    assert watcher.query("analysis.text") is None
    assert watcher.query("nothing") is None
    assert watcher.query("") is None


def test_keys_with_dots_come_back_as_they_were(tmp_path: Path) -> None:
    stats = {"text_len": {"97.5%": 9, "50%": 5}, "a.b": {"c": 1}}
    job(SandboxWatcher(tmp_path)).watch(stats)
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == stats
    assert again.query("analysis.text_len") == {"97.5%": 9, "50%": 5}
    assert again.query("analysis.text_len.97.5%") == 9
    assert again.query("analysis.a.b") == {"c": 1}
    assert again.query("analysis.a") == {"b": {"c": 1}}


def test_the_latest_value_counts_and_all_are_kept_with_their_steps(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    train = job(watcher, "train")
    for step, loss in enumerate([2.0, 1.5, 1.0]):
        train.watch({"loss": loss}, step=step)
    train.watch("done", "train.state")
    assert watcher.query("train.loss") == 1.0
    assert watcher.history("train.loss") == [(0, 2.0), (1, 1.5), (2, 1.0)]
    assert watcher.history("train.state") == [(None, "done")]
    assert watcher.history("nothing") == []


def test_where_a_value_and_a_mapping_have_one_name_both_can_be_had(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.watch({"a": {"b": 1}}, "m")
    watcher.watch(2, "m.a")
    assert watcher.query("m.a") == 2
    assert watcher.query("m.a.b") == 1
    assert watcher.query("m") == {"a": {"b": 1}}


def test_nan_and_infinity_survive(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch({"nan": math.nan, "inf": -math.inf})
    again = SandboxWatcher(tmp_path)
    assert math.isnan(again.query("analysis.nan"))
    assert again.query("analysis.inf") == -math.inf
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()


def test_a_data_frame_is_column_row_value_and_a_series_label_value(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text_len": [1, 2, 3], "words": [1.0, 1.0, 4.0]})
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch(frame.describe())
    job(watcher, "series").watch({"top": pd.Series([1, 2], index=["x", "y"])})
    assert watcher.query("analysis.text_len.mean") == 2.0
    assert watcher.query("analysis.words.25%") == 1.0
    assert watcher.query("series") == {"top": {"x": 1, "y": 2}}
    assert {type(value) for value in watcher.query("analysis.text_len").values()} == {float}


def test_a_frame_with_several_levels_of_labels_nests_them(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"k": ["a", "b", "b"], "loss": [1.0, 2.0, 4.0]}).groupby("k").agg(["mean", "max"])
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch(frame)
    assert watcher.query("analysis") == {"loss": {"mean": {"a": 1.0, "b": 3.0}, "max": {"a": 1.0, "b": 4.0}}}


def test_a_value_that_cannot_be_recorded_is_named_and_nothing_of_the_result_is_recorded(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher, "other").watch(1)
    with pytest.raises(SandboxError, match=r"'analysis\.model': it is a object"):
        job(watcher).watch({"loss": 1, "model": object()})
    assert watcher.query("analysis") is None
    assert SandboxWatcher(tmp_path).query("analysis") is None


def test_a_single_value_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="without a name"):
        SandboxWatcher(tmp_path).watch(1)


def test_every_line_says_who_recorded_what_and_when(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path), "train", iteration=2).watch({"loss": 1}, step=7)
    run, metric = lines(tmp_path)
    assert (run["kind"], run["run"]) == ("run", "r1")
    assert metric.pop("time").endswith("+00:00")
    assert metric == {
        "kind": "metric", "run": "r1", "job": "p/probe/train", "attempt": "r1/2/train", "iteration": 2,
        "name": "train.loss", "value": 1, "step": 7,
    }  # fmt: skip


def test_opening_and_asking_writes_nothing(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path / "work")
    assert job(watcher).query("analysis") is None
    watcher.adopt("r0/1/analysis")
    watcher.flush()
    assert (watcher.tables(), watcher.configs(), watcher.history("x")) == ([], {}, [])
    assert list(tmp_path.iterdir()) == []


# -- tables and configs --------------------------------------------------------------------------------------------------


def test_tables_come_back_in_order(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch_table("Bounds", ["op", "k"], [["words", 3.0], ("text", math.inf)], ["k = 3"])
    job(watcher, "rank").watch_table("Ranking", ["pool"], [])
    expected = [
        Table("Bounds", ("op", "k"), (("words", 3.0), ("text", math.inf)), ("k = 3",), "p/probe/analysis"),
        Table("Ranking", ("pool",), (), (), "p/probe/rank"),
    ]
    assert watcher.tables() == SandboxWatcher(tmp_path).tables() == expected


def test_a_row_that_does_not_fit_its_columns_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="row 2 of the table 'Bounds' has 1 cells, but there are 2 columns"):
        job(SandboxWatcher(tmp_path)).watch_table("Bounds", ["op", "k"], [["a", 1], ["b"]])


def test_configs_of_any_kind_are_recorded_without_their_secrets(tmp_path: Path) -> None:
    class Config(ComponentConfig):
        text_key: str = "text"
        api_key: str = "sk-secret"

    watcher = SandboxWatcher(tmp_path)
    watcher.start("r1")
    namespace = SimpleNamespace(token="sk-secret", inner=SimpleNamespace(path=Path("x"), password="sk-secret"))
    watcher.watch_cfgs([({"a": {"HF_TOKEN": "sk-secret"}}, "sandbox"), (None, "none"), (Config(), "model"), (namespace, "old")])
    expected = {
        "sandbox": {"a": {"HF_TOKEN": "***"}},
        "model": {"text_key": "text", "api_key": "***"},
        "old": {"token": "***", "inner": {"path": Path("x"), "password": "***"}},
    }
    assert watcher.configs() == SandboxWatcher(tmp_path).configs() == expected
    assert "sk-secret" not in (tmp_path / "metrics.jsonl").read_text()
    with pytest.raises(SandboxError, match="a int is not a config"):
        watcher.watch_cfgs([(3, "number")])


# -- observers -----------------------------------------------------------------------------------------------------------


def test_observers_are_told_each_metric_and_table_after_it_was_recorded(tmp_path: Path) -> None:
    told: list[tuple[str, dict[str, Any]]] = []

    def notify(hook_name: str, **arguments: Any) -> None:
        name = arguments.get("name") or arguments["title"]
        assert any(line.get("name") == name for line in lines(tmp_path))
        told.append((hook_name, arguments))

    train = job(SandboxWatcher(tmp_path, notify=notify), "train")
    train.watch({"loss": 1.5, "lr": {"now": 2}}, step=3)
    train.watch_table("T", ["a"], [[1]], ["n"])
    who = {"job_id": "p/probe/train", "task": ""}
    assert told == [
        ("djsandbox_metrics_logged", {"name": "train.loss", "value": 1.5, "step": 3, **who}),
        ("djsandbox_metrics_logged", {"name": "train.lr.now", "value": 2, "step": 3, **who}),
        ("djsandbox_table_logged", {"title": "T", "columns": ("a",), "rows": ((1,),), "notes": ("n",), **who}),
    ]


def test_an_observer_may_query_and_another_thread_record_meanwhile(tmp_path: Path) -> None:
    seen: list[Any] = []

    def notify(hook_name: str, **arguments: Any) -> None:
        if arguments["name"] == "outer":
            other = threading.Thread(target=lambda: watcher.watch(2, "inner"))
            other.start()
            other.join()
            seen.append((watcher.query("outer"), watcher.query("inner")))

    watcher = SandboxWatcher(tmp_path, notify=notify)
    watcher.watch(1, "outer")
    assert seen == [(1, 2)]


def test_threads_do_not_lose_or_mix_metrics(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.start("r1")
    threads = [
        threading.Thread(target=lambda name=name: [job(watcher, name).watch(step, step=step) for step in range(30)])
        for name in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = SandboxWatcher(tmp_path)
    for name in "abc":
        assert watcher.history(name) == again.history(name) == [(step, step) for step in range(30)]


# -- runs, attempts, resume ----------------------------------------------------------------------------------------------


def test_a_new_run_does_not_see_what_an_earlier_one_recorded(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch({"a": 1})
    watcher = SandboxWatcher(tmp_path)
    watcher.start("r2")
    assert watcher.query("analysis") is None
    assert watcher.tables() == []


def test_opened_afterwards_a_query_sees_the_last_run_only(tmp_path: Path) -> None:
    first = SandboxWatcher(tmp_path)
    job(first).watch({"old": 1, "both": 1})
    first.watch_cfgs([({"a": 1}, "sandbox")])
    job(SandboxWatcher(tmp_path), run="r2").watch({"both": 2})
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == {"both": 2}
    assert again.history("analysis.both") == [(None, 2)]
    assert again.configs() == {}


def test_a_run_that_records_nothing_hides_the_one_before(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch(1)
    SandboxWatcher(tmp_path).start("r2")
    assert SandboxWatcher(tmp_path).query("analysis") is None


def test_opened_without_a_run_it_follows_what_another_process_records(tmp_path: Path) -> None:
    looking = SandboxWatcher(tmp_path)
    writing = SandboxWatcher(tmp_path)
    assert looking.query("analysis") is None
    for value in (1, 2):
        job(writing).watch(value)
        assert looking.query("analysis") == value


def test_a_reused_job_counts_as_recorded_in_the_run_that_reuses_it(tmp_path: Path) -> None:
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


def test_what_was_adopted_can_be_adopted_again_by_a_third_run(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    for run in ("r2", "r3"):
        watcher = SandboxWatcher(tmp_path)
        watcher.start(run)
        watcher.adopt("r1/1/analysis")
        assert watcher.query("analysis") == {"mean": 1}
    assert SandboxWatcher(tmp_path).query("analysis") == {"mean": 1}


def test_adopting_keeps_what_the_run_has_recorded_before_and_lets_it_record_on(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    resumed = SandboxWatcher(tmp_path)
    job(resumed, "first", run="r2").watch(1)
    resumed.adopt("r1/1/analysis")
    job(resumed, "later", run="r2").watch(2)
    resumed.adopt("r2/1/first")
    for watcher in (resumed, SandboxWatcher(tmp_path)):
        assert [watcher.query(name) for name in ("first", "analysis.mean", "later")] == [1, 1, 2]
        assert watcher.history("first") == [(None, 1)]


def test_an_attempt_that_recorded_nothing_is_adopted_without_a_trace(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.start("r2")
    watcher.adopt("r1/1/silent")
    assert [line["kind"] for line in lines(tmp_path)] == ["run"]


def test_without_a_run_adopting_changes_what_is_seen_and_not_the_record(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch({"mean": 1})
    SandboxWatcher(tmp_path).start("r2")
    before = lines(tmp_path)
    planning = SandboxWatcher(tmp_path)
    planning.adopt("r1/1/analysis")
    assert planning.bind("p/refine_recipe/0", "analysis", "", "", 1).query("analysis") == {"mean": 1}
    assert lines(tmp_path) == before


def test_the_next_attempt_of_a_job_replaces_what_its_last_one_measured(tmp_path: Path) -> None:
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


def test_an_iteration_that_shares_a_result_of_this_run_sees_its_metrics_and_shows_its_tables_once(tmp_path: Path) -> None:
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
    tmp_path: Path, start_python: Callable[[str], Popen[str]]
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


def test_half_a_last_line_is_ignored_and_the_next_metric_is_whole(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch({"a": 1, "b": 2})
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == {"a": 1}
    again.watch(3, "c")
    assert SandboxWatcher(tmp_path).query("analysis") == {"a": 1}
    assert SandboxWatcher(tmp_path).query("c") == 3


def test_a_line_in_the_middle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    job(SandboxWatcher(tmp_path)).watch(1)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write("broken\n")
    with pytest.raises(SandboxError, match=r"metrics\.jsonl:3"):
        SandboxWatcher(tmp_path).query("analysis")
