"""What the tests of trackers share: a job that measures something, and trackers of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
    """Writes a config with one job, with these further lines; a sweep file lies beside it, in the current directory."""
    monkeypatch.delenv("DJSANDBOX_TRACKERS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "sweep.yaml").write_text(SWEEP)

    def write(*lines: str, extra: str = "x: 2.0") -> Path:
        block = f"{{type: './parts.py:Measure', {extra}}}"
        job = f"{{hook: GeneralProbeHook, meta_name: m, output: [square, place], extra_configs: {block}}}"
        file = tmp_path / "sandbox.yaml"
        head = ["project_name: lab", "experiment_name: first", "work_dir: out", *lines]
        file.write_text("\n".join([*head, "pipelines:", "  demo:", "    probe_job_configs:", f"      - {job}"]))
        return file

    return write
