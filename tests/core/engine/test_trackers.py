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
from djsandbox.errors import ConfigError, JobFailed, PluginError

Lab = Callable[..., Path]

PARTS = '''
import json
import threading
import time
from pathlib import Path

from djsandbox import BaseProbe, ComponentConfig, Finding, Tracker


class Measure(BaseProbe):
    """Says how a loss falls; fails where x is above 100."""

    class Config(ComponentConfig):
        x: float = 2.0
        api_key: str = ""

    def run(self):
        for step in range(1, 4):
            self.watcher.watch({"loss": self.config.x / step}, step=step)
        self.watcher.watch({"label": f"Bearer {self.config.api_key}"})
        self.watcher.watch_table("Pools", ["pool"], [["a"]], ["one"])
        if self.config.x > 100:
            raise ValueError("far too large")
        return self.config.x ** 2, Path("some/where")


class Note(Tracker):
    """Writes down what it is told, beside the run."""

    class Config(ComponentConfig):
        name: str = "told"

    def start(self, run):
        self.path = run.home / f"{self.config.name}_{run.run_id}.jsonl"
        self.note("start", run.project_name, run.experiment_name, run.trial, dict(run.values), run.is_sweep)
        self.tell(f"noted in {self.path.name}")

    def log_config(self, name, config):
        self.note("config", name, config)

    def log_metric(self, metric):
        self.note("metric", metric.name, metric.value, metric.step, metric.iteration, metric.job_id)

    def log_table(self, table):
        self.note("table", table.title, table.columns, table.rows, table.notes)

    def log_context(self, context, iteration):
        self.note("context", context, iteration)

    def finish(self, status):
        self.note("finish", status)

    def note(self, *fields):
        assert threading.current_thread() is not threading.main_thread()
        with self.path.open("a") as file:
            file.write(json.dumps(fields) + "\\n")


class Other(Note):
    """Is another one."""


class Raises(Note):
    """Fails whenever it is told a value."""

    def log_metric(self, metric):
        raise OSError("disk full")


class NeverStarts(Note):
    """Cannot start."""

    def start(self, run):
        self.path = run.home / "never.jsonl"
        raise SystemExit("no licence")


class Hangs(Note):
    """Waits for ever, until it is abandoned."""

    patience = 0.2
    given_up = threading.Event()

    def log_metric(self, metric):
        self.given_up.wait()

    def abandon(self):
        self.tell("abandoned")
        self.given_up.set()


class HangsAtOnce(Hangs):
    """Never starts, and does not give up either."""

    given_up = threading.Event()

    def start(self, run):
        self.given_up.wait()

    def abandon(self):
        self.given_up.wait()


class HangsAtTheEnd(HangsAtOnce):
    """Never ends."""

    start = Note.start
    log_metric = Note.log_metric

    def finish(self, status):
        self.given_up.wait()


class Doubts(Note):
    """Has something to say before the run."""

    class Config(ComponentConfig):
        level: int = 0

    def check(self):
        if self.config.level:
            yield Finding(("level",), "this level is odd", "take 0", "error" if self.config.level > 1 else "warning")


class NotOne:
    """Is no tracker."""
'''


SWEEP = """
method: random
run_cap: 2
metric: {name: demo.m.square}
parameters: {demo.m.extra_configs.x: {values: [1.0, 3.0]}}
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Writes a config with one job, with these further lines; its folder is the current directory."""
    monkeypatch.delenv("DJSANDBOX_TRACKERS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)

    def write(*lines: str, extra: str = "x: 2.0") -> Path:
        block = f"{{type: './parts.py:Measure', {extra}}}"
        job = f"{{hook: GeneralProbeHook, meta_name: m, output: [square, place], extra_configs: {block}}}"
        file = tmp_path / "sandbox.yaml"
        head = ["project_name: lab", "experiment_name: first", "work_dir: out", *lines]
        file.write_text("\n".join([*head, "pipelines:", "  demo:", "    probe_job_configs:", f"      - {job}"]))
        return file

    return write


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
    Path("sweep.yaml").write_text(SWEEP)
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


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tracker: tensorbord", "sandbox.yaml:4: unknown tracker 'tensorbord'\n    did you mean 'tensorboard'?"),
        ("tracker: {type: './parts.py:Note', nane: x}", "sandbox.yaml:4: unknown key 'nane'\n    did you mean 'name'?"),
        (
            "tracker: [./parts.py:Note, {name: x}]",
            "sandbox.yaml:4: a tracker is a type, or a mapping of 'type' and its options",
        ),
        (
            "tracker: [./parts.py:Note, {type: './parts.py:Note', name: two}]",
            "sandbox.yaml:4: the tracker './parts.py:Note' is there twice",
        ),
        ("tracker: 3", "sandbox.yaml:4: 'tracker' must be"),
        ("tracker: ./parts.py:NotOne", "NotOne is a class of its own, but a Tracker is needed here"),
        ("tracker: ./none.py:Mine", "there is no file"),
        ("tracker: {type: './parts.py:Doubts', level: 2}", "sandbox.yaml:4: this level is odd\n    take 0"),
    ],
)
def test_a_wrong_tracker_is_found_before_the_run_with_its_place(lab: Lab, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        djsandbox.validate(lab(line))

    assert said in str(raised.value)


def test_a_doubt_of_a_tracker_is_a_warning(lab: Lab) -> None:
    (warning,) = djsandbox.validate(lab("tracker: {type: './parts.py:Doubts', level: 1}"))

    assert (warning.message, warning.severity) == ("this level is odd", "warning")


def test_a_wrong_name_in_the_environment_is_said_to_be_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJSANDBOX_TRACKERS", "tensorbord")

    with pytest.raises(ConfigError, match=r"DJSANDBOX_TRACKERS: unknown tracker 'tensorbord'"):
        djsandbox.validate(lab())


def test_two_backends_for_one_sweep_are_an_error_and_one_without_a_sweep_a_warning(lab: Lab) -> None:
    Path("sweep.yaml").write_text(f"{SWEEP}sweeper: one\n")
    with pytest.raises(ConfigError, match=r"'hpo_backend: two' and 'sweeper: one' in .*sweep.yaml are two backends"):
        djsandbox.validate(lab("hpo_config: sweep.yaml", "hpo_backend: two"))
    (warning,) = djsandbox.validate(lab("hpo_backend: two"))
    assert "does nothing without 'hpo_config'" in warning.message
