"""A run of several pipelines, iterations and tasks, killed thirty times at random moments, ends as an undisturbed one."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest

pytestmark = pytest.mark.slow

MOMENTS = 30

PARTS = '''
from pathlib import Path

from djsandbox import BaseDataExecutor, CommandConfig, CommandExecutor, ComponentConfig, InputPath, OutputPath, Task


class Train(CommandExecutor):
    """Four tasks, each of which writes a line that depends on the data."""

    class Config(CommandConfig):
        dataset_path: InputPath
        models: OutputPath

    def tasks(self, run_type, run_obj=None):
        script = "echo pid $$ >> pids; echo loss 1 0.5; sleep 0.0$0; echo loss 2 0.25; cksum < $1 > $2"
        for name in "1234":
            output = f"{self.config.models}/{name}"
            yield Task(name, ("sh", "-c", script, name, self.config.dataset_path, output), (output,))

    def task_result(self, task):
        return Path(task.outputs[0]).read_text().split()

    def _watch_run(self, line, **kwargs):
        if line.startswith("loss"):
            _, step, loss = line.split()
            self.watcher.watch({self.context.task: {"loss": float(loss)}}, step=int(step))


class Grow(BaseDataExecutor):
    """Adds what the models say to the data."""

    class Config(ComponentConfig):
        dataset_path: InputPath
        export_path: OutputPath
        models: list = []

    def run(self):
        text = Path(self.config.dataset_path).read_text() + repr(self.config.models)
        Path(self.config.export_path).write_text(text)
        self.watcher.watch({"size": len(text)})
        return self.config.export_path
'''

CONFIG = """
launcher: {max_parallel: 2, cpus: 2}
max_iter_num: 2
iter_updater: {second.grow.data: first.begin.extra_configs.dataset_path}
pipelines:
  first:
    execution_job_configs:
      - {hook: GeneralDataExecutorHook, meta_name: begin, output: data,
         extra_configs: {type: "./parts.py:Grow", dataset_path: seed.txt, export_path: out/begun.txt}}
      - {hook: TrainModelHook, meta_name: train, output: models, input: {extra_configs.dataset_path: -1.data},
         extra_configs: {type: "./parts.py:Train", models: out/first}}
  second:
    execution_job_configs:
      - {hook: GeneralDataExecutorHook, meta_name: grow, output: data,
         input: {extra_configs.dataset_path: first.begin.data, extra_configs.models: first.train.models},
         extra_configs: {type: "./parts.py:Grow", export_path: out/grown.txt}}
      - {hook: TrainModelHook, meta_name: train, output: models, input: {extra_configs.dataset_path: -1.data},
         extra_configs: {type: "./parts.py:Train", models: out/second, retries: 1}}
"""

RUN = (sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", "--resume", "--quiet")


def laboratory(folder: Path) -> Path:
    folder.mkdir()
    (folder / "parts.py").write_text(PARTS)
    (folder / "sandbox.yaml").write_text(CONFIG)
    (folder / "seed.txt").write_text("seed")
    return folder


def what_a_run_leaves(folder: Path) -> dict[str, Any]:
    work_dir = folder / "outputs/hello_world"
    watcher = djsandbox.SandboxWatcher(work_dir)
    names = [f"train.{name}.loss" for name in "1234"]
    files = [path for path in sorted((folder / "out").rglob("*")) if path.is_file()]
    return {
        "context": json.loads((work_dir / "context_infos.json").read_text()),
        "earlier": json.loads((work_dir / "context/iter_1.json").read_text()),
        "metrics": {name: watcher.query(name) for name in ("train", "begin", "grow")},
        "histories": {name: sorted(watcher.history(name)) for name in names},
        "files": {str(path.relative_to(folder)): path.read_text() for path in files},
    }


def journal(folder: Path) -> list[dict[str, Any]]:
    path = folder / "outputs/hello_world/journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_killed_thirty_times_ends_as_an_undisturbed_one_and_repeats_no_finished_task(tmp_path: Path) -> None:
    calm = laboratory(tmp_path / "calm")
    subprocess.run(RUN, cwd=calm, check=True)
    chance = random.Random(4)
    for kills in (1,) * (MOMENTS // 2) + (MOMENTS - MOMENTS // 2,):  # once a run, and one run many times
        folder = laboratory(tmp_path / f"killed{chance.random()}")
        for _ in range(kills):
            process = subprocess.Popen(RUN, cwd=folder)
            try:
                process.wait(timeout=0.3 + chance.random() * 1.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            pids = (folder / "pids").read_text().split()[1::2] if (folder / "pids").exists() else []
            while any(is_alive(int(pid)) for pid in pids):
                os.sched_yield()
        subprocess.run(RUN, cwd=folder, check=True)
        assert what_a_run_leaves(folder) == what_a_run_leaves(calm)
        events = [event for event in journal(folder) if event["event"] == "task_finished"]
        finished = [(event["iteration"], event["job_id"], event["task"]) for event in events]
        assert len(finished) == len(set(finished)) == 16
