"""Secrets of the config and of our environment are in no log, journal or message, whoever in a job prints them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.cli.main import call
from djsandbox.engine.secrecy import secrets_of

Lab = Any

OF_CONFIG = "sk-very-secret"
OF_ENVIRONMENT = "hf_not-to-be-seen"
KEY = "-----BEGIN KEY-----\nmultiline-1\nmultiline-2\n-----END KEY-----"
SECRETS = (OF_CONFIG, OF_ENVIRONMENT, "multiline-1", "multiline-2")

LEAKY = '''
import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from djsandbox import BaseEvaluator, BaseModelExecutor, CommandConfig, CommandExecutor, ComponentConfig, Task


class Leaks(BaseEvaluator):
    """Prints its secrets in all ways there are, and then does what it is told."""

    class Config(ComponentConfig):
        api_key: str
        end: str = ""

    def run(self, eval_type, eval_obj=None, **kwargs):
        for secret in (self.config.api_key, os.environ["HF_TOKEN"], os.environ["SSH_KEY"]):
            print("printed", secret)
            self.logger.info("logged %s", secret)
            os.write(2, f"written {secret}\\n".encode())
            subprocess.run(["echo", f"child {secret}"], check=True)
            libc = ctypes.CDLL(None)
            libc.printf(b"from C %s\\n", secret.encode())
            libc.fflush(None)  # C holds it back otherwise, unless Python was told not to buffer
        if self.config.end == "raise":
            raise ValueError(f"no access with {self.config.api_key} and {os.environ['HF_TOKEN']}")
        if self.config.end:
            print("half", self.config.api_key[:-1], end="", flush=True)
            Path("begun").touch()
            while Path(self.config.end).exists():
                time.sleep(0.01)
            print("\\nthe end")
        self.watcher.watch({"score": 1})
        return 1


class Trains(BaseModelExecutor):
    """Is blocked until its first line has been seen."""

    class Config(ComponentConfig):
        api_key: str

    async def _run(self, run_type, run_obj=None, **kwargs):
        self.seen = threading.Event()
        print(f"loss: 0.5 with {self.config.api_key}")
        if not self.seen.wait(60):
            raise TimeoutError("nobody has seen the line")
        return "model"

    def _watch_run(self, line, **kwargs):
        if line.startswith("loss: "):
            self.watcher.watch(float(line.split()[1]), "loss")
            self.watcher.watch(line, "line")
            self.seen.set()


class Forks(BaseEvaluator):
    """Leaves it to workers to give its secret away."""

    class Config(ComponentConfig):
        api_key: str

    def run(self, eval_type, eval_obj=None, **kwargs):
        import multiprocessing

        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(print, [f"worker {number}: {self.config.api_key}" for number in range(4)])
        return 1
'''


@pytest.fixture
def leaky(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("HF_TOKEN", OF_ENVIRONMENT)
    monkeypatch.setenv("SSH_KEY", KEY)
    (lab.folder / "leaky.py").write_text(LEAKY)
    return lab


def config(name: str, hook: str = "EvaluateDataHook", **extra: Any) -> str:
    settings = "".join(f", {key}: {value}" for key, value in extra.items())
    block = f"{{type: './leaky.py:{name}', api_key: {OF_CONFIG}{settings}}}"
    stage = "evaluation" if hook == "EvaluateDataHook" else "execution"
    return f"{stage}_job_configs:\n  - {{hook: {hook}, meta_name: m, output: a, extra_configs: {block}}}\n"


def log_of(lab: Lab, stage: str = "evaluation") -> str:
    text: str = (lab.work_dir / f"logs/anonymous/{stage}/0/run_0001.log").read_text()
    return text


def given_away(folder: Path) -> list[str]:
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [secret for secret in SECRETS if secret.encode() in everything]


def start(lab: Lab, **options: Any) -> subprocess.Popen[str]:
    """A run that hangs when everything has been printed and logged."""
    (lab.folder / "hang").touch()
    lab.write(config("Leaks", end="hang"))
    argv = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"]
    process = subprocess.Popen(argv, cwd=lab.folder, stderr=subprocess.PIPE, text=True, **options)
    while not (lab.folder / "begun").exists():
        assert process.poll() is None
        os.sched_yield()
    return process


def test_whatever_way_a_secret_is_printed_the_log_has_it_hidden_and_in_order(leaky: Lab) -> None:
    leaky.run(config("Leaks"))
    assert given_away(leaky.work_dir) == []
    ways = [line.split(" INFO ")[-1] for line in log_of(leaky).splitlines()]
    once = ["printed ***", "logged ***", "written ***", "child ***"]
    assert [line for line in ways if line in once][:8] == once * 2
    assert ways.count("from C ***") == 3


def test_an_error_that_quotes_secrets_shows_them_nowhere(leaky: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    leaky.write(config("Leaks", end="raise"))
    assert call(["run", "sandbox.yaml"]) == 1
    printed = capsys.readouterr()
    assert "no access with *** and ***" in printed.err
    assert "ValueError: no access with *** and ***" in log_of(leaky)
    assert given_away(leaky.work_dir) == []
    assert not [secret for secret in SECRETS if secret in printed.out + printed.err]


def test_metrics_are_live_although_secrets_are_hidden_on_the_way(leaky: Lab) -> None:
    leaky.run(config("Trains", "TrainModelHook"))
    assert given_away(leaky.work_dir) == []
    assert "loss: 0.5 with ***" in log_of(leaky, "execution")
    assert '"loss: 0.5 with ***"' in (leaky.work_dir / "metrics.jsonl").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_workers_of_a_pool_give_nothing_away(leaky: Lab) -> None:
    leaky.run(config("Forks"))
    assert sorted(line for line in log_of(leaky).splitlines() if line) == [f"worker {number}: ***" for number in range(4)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_in_the_middle_gives_nothing_away(
    leaky: Lab, number: signal.Signals, becomes_complete: Callable[[Lab], bool]
) -> None:
    process = start(leaky, start_new_session=True)
    os.killpg(process.pid, number)  # as Ctrl-C on a terminal does
    process.communicate()
    assert becomes_complete(leaky)
    assert given_away(leaky.work_dir) == []


@pytest.fixture
def becomes_complete() -> Callable[[Lab], bool]:
    """Waits until what was held back is in the log: the beginning of a secret, hidden."""

    def complete(lab: Lab) -> bool:
        for _ in range(1_000_000):
            if "half ***" in log_of(lab):
                return True
            os.sched_yield()
        return False

    return complete


def test_the_log_is_complete_as_soon_as_the_run_has_ended(leaky: Lab) -> None:
    process = start(leaky)
    (leaky.folder / "hang").unlink()
    process.communicate()
    assert log_of(leaky).endswith(f"half {OF_CONFIG[:-1]}\nthe end\n")  # it was no secret, after all


SWEEP = """
method: grid
metric: {name: m.score, goal: maximize}
parameters: {m.extra_configs.number: {values: [1, 2]}}
"""


def test_what_trials_print_is_hidden_in_their_logs_too(leaky: Lab) -> None:
    pytest.importorskip("djsandbox_optuna")
    text = (leaky.folder / "leaky.py").read_text()
    (leaky.folder / "leaky.py").write_text(text.replace('end: str = ""', 'end: str = ""\n        number: int = 0'))
    leaky.write(SWEEP, "sweep.yaml")
    leaky.run(f"hpo_config: ./sweep.yaml\n{config('Leaks')}")
    (leaky.work_dir / "best.yaml").unlink()  # a config to run: it has what the user's has, for him alone
    logs = [path for number in (1, 2) for path in (leaky.work_dir / f"trial_{number}").rglob("*.log")]
    assert [path.read_text().count("child ***\n") for path in logs] == [3, 3]
    assert given_away(leaky.work_dir) == []


def test_secrets_of_the_environment_are_not_taken_for_the_configs(leaky: Lab) -> None:
    import djsandbox

    leaky.write(config("Leaks"))
    assert secrets_of(djsandbox.load_config("sandbox.yaml")) == {OF_CONFIG}
