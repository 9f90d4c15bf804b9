"""A small laboratory: a config beside a file of components that log every time they run."""

import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.engine.run import RunResult
from djsandbox.errors import JobFailed

PARTS = '''
import json
from pathlib import Path
from typing import Any

from djsandbox import BaseDataExecutor, BaseEvaluator, ComponentConfig, InputPath, InputPaths, OutputPath


def note(name):
    with open("calls.log", "a") as log:
        log.write(name + "\\n")


class Write(BaseDataExecutor):
    """Writes `text` to a file."""

    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath
        text: str = "hello"
        threads: int = 1
        outside_key = frozenset({"threads"})

    def run(self):
        note(f"write {self.config.text}")
        Path(self.config.export_path).write_text(self.config.text)
        return self.config.export_path

    def planned_outputs(self):
        return self.config.export_path


class Upper(BaseDataExecutor):
    """Upper-cases files."""

    deterministic = True

    class Config(ComponentConfig):
        dataset_path: InputPath
        export_path: OutputPath

    def run(self):
        note("upper")
        text = Path(self.config.dataset_path).read_text().upper()
        Path(self.config.export_path).write_text(text)
        return self.config.export_path


class Give(BaseEvaluator):
    """Returns what its config says; lists become tuples, that is several outputs."""

    deterministic = True

    class Config(ComponentConfig):
        value: Any = None
        several: bool = False
        nested: dict[str, Any] = {}

    def run(self, eval_type, eval_obj=None, **kwargs):
        note(f"give {json.dumps(self.config.value)}")
        return tuple(self.config.value) if self.config.several else self.config.value


class Silent(BaseEvaluator):
    """Gives nothing, and says so before it runs."""

    def planned_outputs(self):
        return None

    def run(self, eval_type, eval_obj=None, **kwargs):
        note("silent")


class Fail(BaseEvaluator):
    """Raises."""

    def run(self, eval_type, eval_obj=None, **kwargs):
        note("fail")
        print("printed before the end")
        raise RuntimeError("the disk is on fire")


class Count(BaseEvaluator):
    """Gives another number each time: how often it was run."""

    def run(self, eval_type, eval_obj=None, **kwargs):
        note("count")
        return Path("calls.log").read_text().split("\\n").count("count")
'''

SHELL = '''
from pathlib import Path

from djsandbox import CommandConfig, CommandExecutor, InputPath, OutputPath, Task


class Shell(CommandExecutor):
    """Runs one script a name; `$0` is the name and `$1` the output, in the job's own folder or in `export_path`."""

    class Config(CommandConfig):
        script: str
        names: list[str] = ["a", "b", "c"]
        export_path: OutputPath | None = None
        dataset_path: InputPath | None = None
        env: dict[str, str] = {}
        keep_env: list[str] = []
        cpus: int = 1
        gpus: int = 0

    def tasks(self, run_type, run_obj=None):
        folder, config = self.config.export_path or str(self.work_dir), self.config
        for name in config.names:
            path = f"{folder}/{name}.txt"
            argv = ("sh", "-c", config.script, name, path)
            yield Task(name, argv, (path,), env=config.env, keep_env=config.keep_env, cpus=config.cpus, gpus=config.gpus)

    def task_result(self, task):
        text = Path(task.outputs[0]).read_text().strip()
        if text == "rubbish":
            raise ValueError("this is no model")
        return text

    def _watch_run(self, line, **kwargs):
        if line.startswith("loss"):
            _, step, loss = line.split()
            self.watcher.watch({self.context.task: {"loss": float(loss)}}, step=int(step))
            self.logger.info("saw %s", line)
'''


class Lab:
    CHAIN = """
    execution_job_configs:
      - hook: GeneralDataExecutorHook
        meta_name: write
        output: path
        extra_configs: {type: "./parts.py:Write", export_path: out/a.txt, text: hello}
      - hook: GeneralDataExecutorHook
        meta_name: upper
        input: {extra_configs.dataset_path: -1.path}
        extra_configs: {type: "./parts.py:Upper", export_path: out/b.txt}
"""
    """Two jobs, the second of which reads what the first writes."""

    GIVE = """
    evaluation_job_configs:
      - {hook: EvaluateDataHook, meta_name: m, output: a, extra_configs: {type: "./parts.py:Give", value: 1}}
"""
    """One job that gives a number."""

    NOTED = "echo run $0 >> calls.log; echo loss 1 0.5; echo loss 2 0.25; echo model $0 > $1"
    """A task that says that it was run, and does its work."""

    FAIL_D = f"{NOTED}; [ $0 = d ] && [ -e broken ] && exit 3; exit 0"
    """As above, but the task d fails while there is a file `broken`."""

    def __init__(self, folder: Path, process_runs: Callable[[int], bool]) -> None:
        self.folder = folder
        self.process_runs = process_runs
        self.work_dir = folder / "outputs" / "hello_world"
        (folder / "parts.py").write_text(PARTS)
        (folder / "shell.py").write_text(SHELL)

    def write(self, text: str, name: str = "sandbox.yaml") -> str:
        (self.folder / name).write_text(textwrap.dedent(text))
        return name

    def shell(self, script: str, *, globals: Mapping[str, Any] | None = None, **config: Any) -> str:
        """Write and return a config with one job that runs `script` as task a, b and c (`names`)."""
        extra = {"type": "./shell.py:Shell", "script": script, **config}
        job = {"hook": "TrainModelHook", "meta_name": "train", "output": "models", "extra_configs": extra}
        return self.write(json.dumps({**(globals or {}), "execution_job_configs": [job]}))

    def run(self, text: str | None = None, **options: Any) -> RunResult:
        if text is not None:
            self.write(text)
        return djsandbox.run("sandbox.yaml", **options)

    def calls(self) -> list[str]:
        """What has run since the last time this was asked."""
        log = self.folder / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def edit_parts(self, before: str, after: str) -> None:
        file = self.folder / "parts.py"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.work_dir / "journal.jsonl").read_text().splitlines()]

    def events(self, task: str | None = None) -> list[str]:
        """The kinds of events that tell of tasks, or of one task, in the order of the journal."""
        told = [event for event in self.journal() if event["event"].startswith("task_")]
        return [event["event"] for event in told if task in (None, event["task"])]

    def fail_at_d(self, **config: Any) -> None:
        """A run in which the tasks a, b and c finish and d fails; the next one will not fail."""
        (self.folder / "broken").touch()
        self.shell(self.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, **config)
        with pytest.raises(JobFailed):
            self.run()
        assert self.calls() == [f"run {name}" for name in "abcd"]
        (self.folder / "broken").unlink()

    def models(self) -> Any:
        """What the tasks of `shell` have given."""
        return self.context_infos()["anonymous"][0]["models"]

    def context_infos(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.work_dir / "context_infos.json").read_text())
        return found


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_runs: Callable[[int], bool]) -> Lab:
    monkeypatch.chdir(tmp_path)
    return Lab(tmp_path, process_runs)
