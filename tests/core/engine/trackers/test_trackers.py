"""Trackers: told of a run in a thread of their own, and never in its way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import RunEvent, hookimpl
from djsandbox.errors import JobFailed, PluginError

Lab = Callable[..., Path]


class Notices:
    """Keeps the lines that a run shows."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @hookimpl
    def djsandbox_notice(self, text: str) -> None:
        self.texts.append(text)


def run(file: Path, **options: Any) -> list[str]:
    notices = Notices()
    djsandbox.run(file, plugins={"notices": notices}, **options)
    return notices.texts


def told(name: str = "told_run_0001") -> list[list[Any]]:
    return [json.loads(line) for line in Path(f"out/{name}.jsonl").read_text().splitlines()]


def test_a_tracker_is_told_all_that_happens_in_its_order(lab: Lab) -> None:
    said = run(lab("tracker: ./parts.py:Note"))

    lines = told()
    metrics = ["metric"] * 4
    assert [line[0] for line in lines] == ["start", "config", "config", *metrics, "table", "context", "finish"]
    assert lines[0] == ["start", "lab", "first", None, {}, False]
    assert lines[1][1] == "sandbox" and lines[1][2]["tracker"] == "./parts.py:Note"
    assert lines[2] == ["config", "demo/probe/0", {"extra_configs": {"type": "./parts.py:Measure", "x": 2.0}}]
    assert lines[3] == ["metric", "m.loss", 2.0, 1, 1, "demo/probe/0"]
    assert lines[7] == ["table", "Pools", ["pool"], [["a"]], ["one"]]
    assert lines[-2:] == [
        ["context", {"demo": [{"meta_name": "m", "square": 4.0, "place": "some/where"}]}, 1],
        ["finish", "done"],
    ]
    assert said == ["noted in told_run_0001.jsonl"]


def test_a_list_of_trackers_with_options_and_those_of_the_environment_all_hear(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lab("tracker:", "  - {type: './parts.py:Note', name: one}", "  - {type: './parts.py:Other', name: two}")
    monkeypatch.setenv("DJSANDBOX_TRACKERS", f"{file.parent}/parts.py:Raises, ./parts.py:Note,")

    run(file, settings=["demo.m.extra_configs.x=3"])

    assert told("one_run_0001")[3][2] == told("two_run_0001")[3][2] == 3.0
    assert not [line for line in told() if line[0] == "metric"]  # only one that fails: the config's options win


def test_secrets_are_hidden_in_what_a_tracker_is_told(lab: Lab) -> None:
    run(lab("tracker: ./parts.py:Note", extra="api_key: sk-very-secret"))

    assert ["m.label", "Bearer ***"] in [line[1:3] for line in told() if line[0] == "metric"]
    assert "sk-very-secret" not in Path("out/told_run_0001.jsonl").read_text()


def test_a_tracker_hears_how_a_run_fails_and_what_came_before(lab: Lab) -> None:
    with pytest.raises(JobFailed):
        run(lab("tracker: ./parts.py:Note", extra="x: 101.0"))

    assert told()[-1] == ["finish", "failed"]
    assert [line[1] for line in told() if line[0] == "metric"] == ["m.loss"] * 3 + ["m.label"]


@pytest.mark.parametrize(
    ("name", "failed", "consequence"),
    [
        ("Raises", "failed in log_metric: OSError: disk full", "the run goes on; not everything is mirrored"),
        ("NeverStarts", "failed in start: SystemExit: no licence", "the run goes on without it"),
    ],
)
def test_a_tracker_that_raises_is_reported_once_and_the_run_goes_on(lab: Lab, name: str, failed: str, consequence: str) -> None:
    assert run(lab(f"tracker: ./parts.py:{name}"))[-1:] == [f"tracker './parts.py:{name}' {failed}\n    {consequence}"]
    assert djsandbox.SandboxWatcher("out").query("m.label") == "Bearer "


def test_after_an_error_the_rest_is_told_all_the_same(lab: Lab) -> None:
    run(lab("tracker: ./parts.py:Raises"))

    assert [line[0] for line in told()] == ["start", "config", "config", "table", "context", "finish"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Hangs", ["noted in told_run_0001.jsonl", "abandoned", "3 values were not mirrored"]),
        ("HangsAtOnce", ["4 values were not mirrored"]),
        ("HangsAtTheEnd", ["noted in told_run_0001.jsonl"]),
    ],
)
def test_a_tracker_that_hangs_is_abandoned_and_what_it_was_not_told_counted(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, said: list[str]
) -> None:
    monkeypatch.setattr("djsandbox.watch.feed._PATIENCE_WITH_ABANDON", 0.2)

    heard = run(lab(f"tracker: ./parts.py:{name}"))

    assert len(heard) == len(said) and all(line.endswith(words) for line, words in zip(heard, said, strict=True))
    assert djsandbox.SandboxWatcher("out").query("m.label") == "Bearer "


def test_a_tracker_that_was_abandoned_is_told_nothing_when_it_can_hear_again(lab: Lab) -> None:
    run(lab("tracker: ./parts.py:Hangs"))

    while any(thread.name == "tracker './parts.py:Hangs'" for thread in threading.enumerate()):
        time.sleep(0.01)
    assert [line[0] for line in told()] == ["start", "config", "config"]


def test_ctrl_c_while_the_end_waits_for_trackers_abandons_all_of_them(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("djsandbox.watch.feed.TrackerFeed.wait", _interrupted)
    file = lab("tracker: [./parts.py:HangsAtTheEnd, ./parts.py:Hangs]")
    notices = Notices()

    with pytest.raises(KeyboardInterrupt):
        djsandbox.run(file, plugins={"notices": notices})

    assert "abandoned" in notices.texts


def _interrupted(feed: object, until: float) -> None:
    raise KeyboardInterrupt


def test_the_author_of_a_tracker_can_have_its_errors_end_the_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJSANDBOX_STRICT_PLUGINS", "1")

    with pytest.raises(PluginError, match="disk full"):
        run(lab("tracker: ./parts.py:Raises"))


def test_values_that_wait_too_long_are_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from djsandbox.watch import feed
    from djsandbox.watch.tracker import TrackedMetric, Tracker

    monkeypatch.setattr(feed, "MOST_WAITING", 2)
    go, heard, said = threading.Event(), [], []

    class Slow(Tracker):
        """Begins when it may."""

        def start(self, run: RunEvent) -> None:
            go.wait()

        def log_metric(self, metric: TrackedMetric) -> None:
            heard.append(metric.value)

    tracker = Slow(Slow.Config())
    tracker.tell = said.append
    fed = feed.TrackerFeed(tracker, "tracker 'slow'", RunEvent("run_0001", tmp_path, "p", "e", tmp_path / "x.yaml"))
    for value in range(5):
        fed.djsandbox_metrics_logged(name="x", value=value, job_id="j", step=None, task="")
    fed.end("done")
    go.set()
    fed.wait(time.monotonic() + 30)

    assert heard == list(range(len(heard))) and 0 < len(heard) <= 2
    assert said == [f"tracker 'slow': it was too slow, and {5 - len(heard)} values were not mirrored"]


def test_each_trial_is_tracked_as_a_run_of_its_own_and_so_is_the_sweep(lab: Lab) -> None:
    Path("search.py").write_text(
        "from djsandbox import Sweeper, Trial\n\n\n"
        "class Two(Sweeper):\n    '''Tries two.'''\n\n"
        "    def open(self, name, results):\n        self.left = [Trial(1, {'demo.m.extra_configs.x': 1.0})]\n\n"
        "    def ask(self):\n        return self.left.pop() if self.left else None\n\n"
        "    def tell(self, result):\n        self.notice('told')\n\n"
        "    def environment(self, trial):\n        return {'DJSANDBOX_TRACKERS': './parts.py:Note'}\n"
    )
    file = lab("hpo_config: sweep.yaml", "hpo_backend: ./search.py:Two", "tracker: {type: './parts.py:Note', name: mine}")

    said = run(file)

    assert said == ["noted in mine_run_0001.jsonl", "told"]
    trial = told("mine_trial_1_run_0001")  # beside its sweep: a new one clears the folders of trials away
    assert trial[0] == ["start", "lab", "first", 1, {"demo.m.extra_configs.x": 1.0}, False]
    assert trial[-1] == ["finish", "done"]
    sweep = told("mine_run_0001")
    assert sweep[0][-1] is True
    assert ["metric", "sweep.value", 1.0, 1, 1, ""] in sweep
    assert [line[1] for line in sweep if line[0] == "config"] == ["sandbox", "sweep"]
    assert [line[1] for line in sweep if line[0] == "table"] == ["Trials of the sweep, best first: minimize demo.m.square"]


def test_the_best_config_of_a_sweep_names_the_tracker_from_where_it_lies_and_no_backend(lab: Lab) -> None:
    test_each_trial_is_tracked_as_a_run_of_its_own_and_so_is_the_sweep(lab)

    best = djsandbox.load_config("out/best.yaml")
    assert best.hpo_backend is None
    assert best.tracker is not None and best.tracker.data == {"type": "../parts.py:Note", "name": "mine"}
    assert not djsandbox.validate("out/best.yaml")
