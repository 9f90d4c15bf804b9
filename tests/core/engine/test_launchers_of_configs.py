"""Which launcher runs the tasks of a job: found wrong before the run, and of third parties."""

from __future__ import annotations

from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any

ODD = """
from djsandbox import Finding, Launcher


class NoConfig(Launcher):
    '''Has options of a kind that cannot be checked.'''

    Config = dict
    max_parallel = 1

    def run(self, attempt, on_started, on_line):
        pass

    def stop(self, *, at_once=False):
        pass


class Fails(NoConfig):
    '''Cannot be made.'''

    Config = Launcher.Config

    def __init__(self, config):
        raise RuntimeError("out of order")


class Doubts(NoConfig):
    '''Finds something wrong.'''

    Config = Launcher.Config

    def check(self):
        yield Finding((), "there is no cluster")
"""


@pytest.mark.parametrize(
    ("launcher", "said"),
    [
        ("lokal", "unknown launcher 'lokal'"),
        ({"type": "lokal"}, "did you mean 'local'"),
        ({"type": "local", "max_paralel": 2}, "unknown key 'max_paralel'"),
        ({"max_parallel": 0}, "'max_parallel'"),
        ({"max_parallel": "many"}, "'max_parallel' must be a whole number"),
        ({"type": 3}, "a launcher is a type"),
        ({"max_parallel": True}, "'max_parallel' must be a whole number, not true or false"),
        ({"grace": True}, "'grace' must be a number"),
        ({"gpus": 4}, "the launcher is to share out 4 GPUs, and there are 2"),
        ("./odd.py:NoConfig", "the Config of the launcher './odd.py:NoConfig' is no ComponentConfig"),
        ("./odd.py:Fails", "RuntimeError: out of order"),
        ("./odd.py:Doubts", "there is no cluster"),
        ("./none.py:Mine", "there is no file"),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["of the job", "of the whole config"])
def test_a_wrong_launcher_is_found_before_the_run_with_its_place(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, launcher: Any, said: str, place: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (lab.folder / "odd.py").write_text(ODD)
    if place == "of the job":
        lab.shell("true", launcher=launcher)
    else:
        lab.shell("true", globals={"launcher": launcher})
    with pytest.raises(ConfigError) as wrong:
        djsandbox.validate("sandbox.yaml")
    assert said in str(wrong.value)
    assert str(wrong.value).startswith("sandbox.yaml:1: ")
    assert len(wrong.value.problems) == 1


@pytest.mark.parametrize("launcher", [3, True, []], ids=str)
def test_a_job_whose_launcher_is_neither_a_type_nor_a_mapping_has_one_problem(lab: Lab, launcher: Any) -> None:
    lab.shell("true", launcher=launcher)
    with pytest.raises(ConfigError) as wrong:
        djsandbox.validate("sandbox.yaml")
    assert [problem.message for problem in wrong.value.problems] == [
        "a launcher is a type, or a mapping of 'type' and its options"
    ]


@pytest.mark.parametrize("key", ["retries", "timeout"])
def test_true_is_no_number(lab: Lab, key: str) -> None:
    lab.shell("true", **{key: True})
    with pytest.raises(ConfigError, match=rf"'{key}' must be a (whole )?number, not true or false"):
        djsandbox.validate("sandbox.yaml")


MINE = """
from pathlib import Path

from djsandbox import ComponentConfig, Launcher


def note(text):
    with open("calls.log", "a") as log:
        log.write(text + "\\n")


class Mine(Launcher):
    '''Writes what tasks should.'''

    class Config(ComponentConfig):
        text: str = "mine"

    max_parallel = 3

    def connect(self):
        note("connect")

    def disconnect(self):
        note("disconnect")

    def run(self, attempt, on_started, on_line):
        on_started()
        on_line("loss 1 2.5")
        Path(attempt.task.outputs[0]).write_text(self.config.text)

    def stop(self, *, at_once=False):
        pass
"""


def test_a_launcher_of_somebody_else_is_used_as_it_lies_beside_the_config(lab: Lab) -> None:
    (lab.folder / "mine.py").write_text(MINE)
    lab.shell("exit 1", globals={"launcher": {"type": "./mine.py:Mine", "text": "ours"}})
    lab.run()
    assert lab.models() == ["ours"] * 3
    assert lab.calls() == ["connect", "disconnect"]
    assert djsandbox.SandboxWatcher(lab.work_dir).query("train.a.loss") == 2.5


def test_the_launcher_of_a_job_wins_over_that_of_the_config(lab: Lab) -> None:
    (lab.folder / "mine.py").write_text(MINE)
    lab.shell("echo $0 > $1", globals={"launcher": "./mine.py:Mine"}, launcher="local")
    lab.run()
    assert lab.models() == ["a", "b", "c"]
