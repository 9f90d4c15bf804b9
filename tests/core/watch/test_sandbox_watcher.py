from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import Watcher
from djsandbox.errors import SandboxError
from djsandbox.watch.bound import BoundWatcher
from djsandbox.watch.watcher import SandboxWatcher, Table

Job = Callable[..., BoundWatcher]
Lines = Callable[[Path], list[dict[str, Any]]]


# -- watching and querying -----------------------------------------------------------------------------------------------


def test_a_value_is_found_under_the_meta_name_of_the_job_that_recorded_it(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    bound: Watcher = job(watcher)
    bound.watch(0.5)
    assert bound.query("analysis") == watcher.query("analysis") == 0.5


def test_a_job_without_a_meta_name_records_under_its_id(tmp_path: Path) -> None:
    watcher = SandboxWatcher(tmp_path)
    watcher.bind("p/probe/0", "", "a", "r1", 1).watch({"loss": 1})
    assert watcher.query("p/probe/0.loss") == 1
    assert watcher.query("p/probe/0") == {"loss": 1}


def test_a_nested_result_comes_back_whole_in_part_and_singly(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    stats = {"text_len": {"mean": 3.5, "std": 1, "name": "长度"}, "words": {"mean": 2}, "ok": True}
    job(watcher).watch(stats)
    assert watcher.query("analysis") == stats
    assert watcher.query("analysis.text_len") == stats["text_len"]
    assert watcher.query("analysis.text_len.mean") == 3.5
    assert watcher.query("analysis.text") is None
    assert watcher.query("nothing") is None
    assert watcher.query("") is None


def test_keys_with_dots_come_back_as_they_were(tmp_path: Path, job: Job) -> None:
    stats = {"text_len": {"97.5%": 9, "50%": 5}, "a.b": {"c": 1}}
    job(SandboxWatcher(tmp_path)).watch(stats)
    again = SandboxWatcher(tmp_path)
    assert again.query("analysis") == stats
    assert again.query("analysis.text_len") == {"97.5%": 9, "50%": 5}
    assert again.query("analysis.text_len.97.5%") == 9
    assert again.query("analysis.a.b") == {"c": 1}
    assert again.query("analysis.a") == {"b": {"c": 1}}


def test_the_latest_value_counts_and_all_are_kept_with_their_steps(tmp_path: Path, job: Job) -> None:
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


def test_nan_and_infinity_survive(tmp_path: Path, job: Job) -> None:
    job(SandboxWatcher(tmp_path)).watch({"nan": math.nan, "inf": -math.inf})
    again = SandboxWatcher(tmp_path)
    assert math.isnan(again.query("analysis.nan"))
    assert again.query("analysis.inf") == -math.inf
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()


def test_a_data_frame_is_column_row_value_and_a_series_label_value(tmp_path: Path, job: Job) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text_len": [1, 2, 3], "words": [1.0, 1.0, 4.0]})
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch(frame.describe())
    job(watcher, "series").watch({"top": pd.Series([1, 2], index=["x", "y"])})
    assert watcher.query("analysis.text_len.mean") == 2.0
    assert watcher.query("analysis.words.25%") == 1.0
    assert watcher.query("series") == {"top": {"x": 1, "y": 2}}
    assert {type(value) for value in watcher.query("analysis.text_len").values()} == {float}


def test_a_frame_with_several_levels_of_labels_nests_them(tmp_path: Path, job: Job) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"k": ["a", "b", "b"], "loss": [1.0, 2.0, 4.0]}).groupby("k").agg(["mean", "max"])
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch(frame)
    assert watcher.query("analysis") == {"loss": {"mean": {"a": 1.0, "b": 3.0}, "max": {"a": 1.0, "b": 4.0}}}


def test_a_value_that_cannot_be_recorded_is_named_and_nothing_of_the_result_is_recorded(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher, "other").watch(1)
    with pytest.raises(SandboxError, match=r"'analysis\.model': it is a object"):
        job(watcher).watch({"loss": 1, "model": object()})
    assert watcher.query("analysis") is None
    assert SandboxWatcher(tmp_path).query("analysis") is None


def test_a_single_value_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="without a name"):
        SandboxWatcher(tmp_path).watch(1)


def test_every_line_says_who_recorded_what_and_when(tmp_path: Path, job: Job, lines: Lines) -> None:
    job(SandboxWatcher(tmp_path), "train", iteration=2).watch({"loss": 1}, step=7)
    run, metric = lines(tmp_path)
    assert (run["kind"], run["run"]) == ("run", "r1")
    assert metric.pop("time").endswith("+00:00")
    assert metric == {
        "kind": "metric", "run": "r1", "job": "p/probe/train", "attempt": "r1/2/train", "iteration": 2,
        "name": "train.loss", "value": 1, "step": 7,
    }  # fmt: skip


def test_opening_and_asking_writes_nothing(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path / "work")
    assert job(watcher).query("analysis") is None
    watcher.adopt("r0/1/analysis")
    watcher.flush()
    assert (watcher.tables(), watcher.configs(), watcher.history("x")) == ([], {}, [])
    assert list(tmp_path.iterdir()) == []


# -- tables and configs --------------------------------------------------------------------------------------------------


def test_tables_come_back_in_order(tmp_path: Path, job: Job) -> None:
    watcher = SandboxWatcher(tmp_path)
    job(watcher).watch_table("Bounds", ["op", "k"], [["words", 3.0], ("text", math.inf)], ["k = 3"])
    job(watcher, "rank").watch_table("Ranking", ["pool"], [])
    expected = [
        Table("Bounds", ("op", "k"), (("words", 3.0), ("text", math.inf)), ("k = 3",), "p/probe/analysis"),
        Table("Ranking", ("pool",), (), (), "p/probe/rank"),
    ]
    assert watcher.tables() == SandboxWatcher(tmp_path).tables() == expected


def test_a_row_that_does_not_fit_its_columns_is_an_error(tmp_path: Path, job: Job) -> None:
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


def test_observers_are_told_each_metric_and_table_after_it_was_recorded(tmp_path: Path, job: Job, lines: Lines) -> None:
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


def test_threads_do_not_lose_or_mix_metrics(tmp_path: Path, job: Job) -> None:
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
