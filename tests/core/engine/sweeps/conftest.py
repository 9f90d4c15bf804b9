"""A laboratory with a sweep: its components, a backend that tries given values, and how to kill it."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.config.document import dump_yaml
from djsandbox.engine.sweeps.result import SweepResult

PARTS = '''
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from pydantic import model_validator
from djsandbox import BaseDataExecutor, BaseRecipeRefiner, BaseEvaluator, ComponentConfig, InputPath, OutputPath, Sweeper, Trial


def note(name):
    with open("calls.log", "a") as log:
        log.write(name + "\\n")


class Analyse(BaseDataExecutor):
    """Measures a text; the bounds of its ops do not matter to it."""

    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath
        text: str = "abcdef"
        process: list[Any] = []
        outside_key = frozenset({"process"})

    def run(self):
        note("analyse")
        self.watcher.watch({"length": len(self.config.text)})
        Path(self.config.export_path).write_text(self.config.text)
        return self.config.export_path


class Filter(BaseDataExecutor):
    """Keeps as many letters as its op allows."""

    deterministic = True

    class Config(ComponentConfig):
        dataset_path: InputPath
        export_path: OutputPath
        process: list[Any]

    def run(self):
        (op,) = self.config.process
        most = op["length_filter"]["max_len"] if isinstance(op, dict) else 100
        note(f"filter {most}")
        Path(self.config.export_path).write_text(Path(self.config.dataset_path).read_text()[:most])
        return self.config.export_path


class Score(BaseEvaluator):
    """Number of letters, plus `bonus`; fails, hangs, dies or reports losses on the way when it is told to."""

    class Config(ComponentConfig):
        dataset_path: InputPath
        bonus: float = 0.0
        losses: list[float] = []
        fail: bool = False
        text: str = ""
        low: int = 0
        high: int = 0
        noise: str = ""
        random: bool = False

        @model_validator(mode="after")
        def _are_ordered(self):
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    def intermediate_metrics(self):
        return ["loss"]

    def run(self, eval_type, eval_obj=None, **kwargs):
        note(f"score {os.getpid()}")
        while os.path.exists("hang"):
            time.sleep(0.01)
        for step, loss in enumerate(self.config.losses):
            self.watcher.watch({"loss": loss}, step=step)
        print(self.config.noise, end="", flush=True)
        if self.config.random:
            return random.random(), "a text"
        if self.config.fail:
            raise RuntimeError("the disk is on fire")
        while self.config.losses and self.config.losses[-1] > 100:
            time.sleep(0.01)
        return len(Path(self.config.dataset_path).read_text()) + self.config.bonus, "a text"


class Refine(BaseRecipeRefiner):
    """Writes the recipe with another lower bound; what it will be, and where, is not said before the run."""

    class Config(ComponentConfig):
        target: str

    def run(self, recipe, feedback):
        (op,) = recipe["process"]
        arguments = op["length_filter"] if isinstance(op, dict) else {}
        recipe = {**recipe, "process": [{"other_op": {}}, {"length_filter": {**arguments, "min_len": 1}}]}
        Path(self.config.target).write_text(json.dumps(recipe))
        return self.config.target


class Show(BaseDataExecutor):
    """Gives the recipe it is run with."""

    class Config(ComponentConfig):
        export_path: OutputPath
        process: list[Any]
        dataset_path: str = ""

    def run(self):
        note(json.dumps(self.config.process))
        return self.config.export_path


class Listed(Sweeper):
    """Tries the values of `trials`, one mapping a trial, and what never ended again."""

    class Config(ComponentConfig):
        trials: list[dict[str, Any]]

    def open(self, name, results):
        note(f"open {name} after {[result.trial.number for result in results]}")
        self.left = sorted(set(range(1, len(self.config.trials) + 1)) - {result.trial.number for result in results})

    def ask(self):
        if not self.left:
            return None
        number = self.left.pop(0)
        return Trial(number, self.config.trials[number - 1])

    def tell(self, result):
        note(f"told {result.trial.number} {result.status} {result.value}")
'''

CONFIG = """
hpo_config: sweep.yaml
probe_job_configs:
  - hook: ProbeViaAnalyzerHook
    meta_name: analysis
    output: path
    extra_configs: {type: "./parts.py:Analyse"}
    dj_configs: {export_path: out/analysed.txt, process: [{length_filter: {max_len: 100}}]}
execution_job_configs:
  - hook: ProcessDataHook
    meta_name: filter
    input: {dj_configs.dataset_path: anonymous.analysis.path}
    output: path
    extra_configs: {type: "./parts.py:Filter"}
    dj_configs: {dataset_path: <input>, export_path: out/filtered.txt, process: [{length_filter: {max_len: 100}}]}
evaluation_job_configs:
  - hook: EvaluateDataHook
    meta_name: score
    input: {extra_configs.dataset_path: anonymous.filter.path}
    output: [value, words]
    extra_configs: {type: "./parts.py:Score", dataset_path: <input>}
"""

SWEEP: dict[str, Any] = {
    "method": "random",
    "metric": {"name": "anonymous.score.value", "goal": "maximize"},
    "run_cap": 3,
    "parameters": {
        "length_filter.max_len": {"min": 1, "max": 6},
        "anonymous.score.extra_configs.bonus": {"value": 0.5},
    },
}

BONUS = "anonymous.score.extra_configs.bonus"
MAX_LEN = "length_filter.max_len"


class SweepLab:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work_dir = folder / "outputs" / "hello_world"
        (folder / "parts.py").write_text(PARTS)
        (folder / "sandbox.yaml").write_text(textwrap.dedent(CONFIG))

    def sweep(self, trials: list[dict[str, Any]], **changes: Any) -> None:
        """Write a sweep that tries `trials`; `changes` are other keys of its file."""
        backend = {"type": "./parts.py:Listed", "trials": trials, **changes.pop("sweeper", {})}
        if trials:
            changes.setdefault("parameters", {name: one for name, one in SWEEP["parameters"].items() if name in trials[0]})
        content = {**SWEEP, "run_cap": max(len(trials), 1), "sweeper": backend, **changes}
        (self.folder / "sweep.yaml").write_text(dump_yaml(content))

    def edit(self, before: str, after: str, name: str = "sandbox.yaml") -> None:
        file = self.folder / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def run(self, **options: Any) -> SweepResult:
        result = djsandbox.run("sandbox.yaml", **options)
        assert isinstance(result, SweepResult)
        return result

    def start(self, *options: str) -> subprocess.Popen[str]:
        """A sweep in a process of its own that hangs while a file `hang` is there."""
        (self.folder / "hang").touch()
        argv = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", *options]
        return subprocess.Popen(argv, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def scoring(self, process: subprocess.Popen[str], count: int) -> list[int]:
        """Wait for `count` trials to come to their last job; their process ids."""
        while process.poll() is None:
            found = [int(line.split()[1]) for line in self._log() if line.startswith("score ")]
            if len(found) >= count:
                return found
            os.sched_yield()
        raise AssertionError(process.communicate())

    def calls(self) -> list[str]:
        """What has run since the last time this was asked, process ids left out."""
        lines = self._log()
        (self.folder / "calls.log").unlink(missing_ok=True)
        return ["score" if line.startswith("score ") else line for line in lines]

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.work_dir / "journal.jsonl").read_text().splitlines()]

    def _log(self) -> list[str]:
        log = self.folder / "calls.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def sweep_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SweepLab]:
    monkeypatch.chdir(tmp_path)
    yield SweepLab(tmp_path)
    (tmp_path / "hang").unlink(missing_ok=True)
