"""Whenever a run is killed, it ends as if nothing had happened: pipelines, iterations, tasks and what they wrote down."""

import json
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from djsandbox.watch.watcher import SandboxWatcher

KILLS = 5
SEEDS = range(6)

PARTS = '''
import sys
from pathlib import Path

from djsandbox import BaseDataExecutor, BaseEvaluator, CommandConfig, CommandExecutor, ComponentConfig, InputPath, OutputPath
from djsandbox import Task


class Corpus(BaseDataExecutor):
    """The same in every iteration."""

    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self):
        self.watcher.watch({"size": 3})
        Path(self.config.export_path).write_text("abc")
        return self.config.export_path


class Draw(BaseDataExecutor):
    """So many copies of the corpus."""

    class Config(ComponentConfig):
        dataset_path: InputPath
        copies: int = 1

    def run(self):
        path = self.work_dir / "drawn.txt"
        path.write_text(Path(self.config.dataset_path).read_text() * self.config.copies)
        return str(path)


class Train(CommandExecutor):
    """Three tasks, each with a process of its own and one that leaves its session."""

    class Config(CommandConfig):
        dataset_path: InputPath
        export_path: OutputPath

    def tasks(self, run_type, run_obj=None):
        for name in ("one", "two", "three"):
            output = str(Path(self.config.export_path) / name / "model.txt")
            yield Task(name, (sys.executable, "-S", "worker.py", self.config.dataset_path, output, name), (output,))

    def task_result(self, task):
        return Path(task.outputs[0]).read_text()

    def _watch_run(self, line, **kwargs):
        if line.startswith("loss: "):
            self.watcher.watch({"loss": float(line[6:])}, step=1)


class Judge(BaseEvaluator):
    """Adds up what the models say."""

    class Config(ComponentConfig):
        models: list[str]

    def run(self, eval_type, eval_obj=None, **kwargs):
        total = sum(len(model) for model in self.config.models)
        self.watcher.watch_table("judged", ["total"], [[total]])
        return total, total % 5 + 1
'''

WORKER = """
import os, subprocess, sys
from pathlib import Path

source, target, name, *below = sys.argv[1:]
with open("pids.log", "a") as log:
    log.write(f"{os.getpid()}\\n")
if below:
    Path(target).write_text(Path(source).read_text() + name)
else:
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-S", "worker.py", source, target, name, "below"]
    subprocess.run(argv, start_new_session=True, check=True)
    print(f"loss: {len(Path(target).read_text())}")
"""

CONFIG = """
max_iter_num: 3
iter_updater: {judge.verdict.next: train.draw.extra_configs.copies}
launcher: {type: local, max_parallel: 2}
pipelines:
  corpus:
    execution_job_configs:
      - {hook: GeneralDataExecutorHook, meta_name: corpus, output: path,
         extra_configs: {type: "./parts.py:Corpus", export_path: out/corpus.txt}}
  train:
    execution_job_configs:
      - {hook: GeneralDataExecutorHook, meta_name: draw, output: path, input: {extra_configs.dataset_path: corpus.corpus.path},
         extra_configs: {type: "./parts.py:Draw"}}
      - {hook: TrainModelHook, meta_name: train, output: models, input: {extra_configs.dataset_path: train.draw.path},
         extra_configs: {type: "./parts.py:Train", export_path: out/models}}
  judge:
    evaluation_job_configs:
      - {hook: EvaluateDataHook, meta_name: verdict, output: [total, next], input: {extra_configs.models: train.train.models},
         extra_configs: {type: "./parts.py:Judge"}}
"""
WORK_DIR = Path("outputs") / "hello_world"


def lay_out(folder: Path) -> Path:
    folder.mkdir()
    (folder / "parts.py").write_text(PARTS)
    (folder / "worker.py").write_text(WORKER)
    (folder / "sandbox.yaml").write_text(textwrap.dedent(CONFIG))
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", "--resume", "--quiet"]
    return subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def to_the_end(folder: Path) -> dict[str, Any]:
    """Run it to its end; what it leaves, less what tells one run from another."""
    process = start(folder)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    watcher = SandboxWatcher(folder / WORK_DIR)
    contexts = sorted((folder / WORK_DIR / "context").glob("iter_*.json"))
    files = [file for file in sorted((folder / "out").rglob("*")) if file.is_file()]
    names = ["corpus.size", *(f"train.{task}.loss" for task in ("one", "two", "three"))]
    return {
        "context": json.loads((folder / WORK_DIR / "context_infos.json").read_text()),
        "contexts": {file.name: json.loads(file.read_text()) for file in contexts},
        "files": {str(file.relative_to(folder)): file.read_text() for file in files},
        "metrics": {name: sorted(map(str, watcher.history(name))) for name in names},
        "latest": {name: watcher.query(name) for name in names},
        "tables": [table.rows for table in watcher.tables()],
    }


def kill_somewhere(folder: Path, chance: random.Random) -> bool:
    """Run it on and kill it at once, a random number of events later; False where it ends before that."""
    journal = folder / WORK_DIR / "journal.jsonl"
    size = journal.stat().st_size if journal.exists() else 0
    wanted, pause = chance.randint(1, 10_000), chance.uniform(0.0, 0.03)
    process = start(folder)
    while (journal.stat().st_size if journal.exists() else 0) < size + wanted:
        if process.poll() is not None:
            return False
        os.sched_yield()
    time.sleep(pause)  # which moment it is may be left to chance: the end must be the same
    process.kill()
    process.communicate()
    return process.returncode < 0


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets us end processes that left their session")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_killed_again_and_again_ends_like_one_that_was_left_alone(tmp_path: Path, seed: int) -> None:
    undisturbed = to_the_end(lay_out(tmp_path / "undisturbed"))
    assert len(undisturbed["contexts"]) == 3
    assert len(undisturbed["files"]) == 3 * (1 + 3)
    chance, kills, runs = random.Random(seed), 0, 0
    while kills < KILLS:
        runs += 1
        folder = lay_out(tmp_path / f"killed_{runs}")
        while kills < KILLS and kill_somewhere(folder, chance):
            kills += 1
        assert to_the_end(folder) == undisturbed
        pids = [int(line) for line in (folder / "pids.log").read_text().split()]
        assert not [pid for pid in pids if is_running(pid)]
