"""Stopping: whatever ends a task, the whole process tree below it ends, and the journal says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from djsandbox.errors import JobFailed

Lab = Any

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process in its own session belongs to")

# As torchrun does: workers in sessions of their own, each with children; one worker is deaf to SIGTERM, one child is a daemon
# that nobody waits for. Every process writes its id to a folder; all wait for ever.
TREE = """
import os, pathlib, signal, subprocess, sys, time

folder = pathlib.Path(sys.argv[2])

def say():
    draft = folder / f".{os.getpid()}"
    draft.touch()
    draft.rename(folder / str(os.getpid()))

def wait():
    while True:
        time.sleep(60)

role = sys.argv[1]
if role == "launcher":
    say()
    for number in range(2):
        subprocess.Popen([sys.executable, __file__, f"worker{number}", str(folder)], start_new_session=True)
elif role.startswith("worker"):
    if role == "worker1":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                say()
                wait()
            os._exit(0)
        os.wait()
    child = subprocess.Popen(["sleep", "10000"])
    (folder / str(child.pid)).touch()
    say()
wait()
"""
TREE_SIZE = 6


class Forest:
    """A run of tasks that are trees: `a` and `b` stand for ever, and `c` ends when there is a file `fell`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        (lab.folder / "tree.py").write_text(TREE)

    def write(self, names: str = "ab", **config: Any) -> None:
        script = f'if [ $0 = c ]; then while [ ! -e fell ]; do sleep 0.01; done; exit 3; fi; mkdir $0; exec "{sys.executable}" '
        script += "tree.py launcher $0"
        launcher = {"max_parallel": 3, "cpus": 3, "grace": 0.3}
        self.lab.shell(script, names=list(names), **{"launcher": launcher, **config})

    def start(self, *options: str) -> subprocess.Popen[str]:
        """The run in a process and a group of its own; returns when the trees stand."""
        command = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", *options]
        process = subprocess.Popen(command, cwd=self.lab.folder, stderr=subprocess.PIPE, text=True, start_new_session=True)
        while not all(self.stands(name) for name in "ab"):
            assert process.poll() is None, process.communicate()
            os.sched_yield()
        return process

    def stands(self, name: str) -> bool:
        return len(self.pids(name)) >= TREE_SIZE

    def pids(self, name: str) -> list[int]:
        folder = self.lab.folder / name
        return [int(path) for path in os.listdir(folder) if path.isdigit()] if folder.is_dir() else []

    def left(self) -> list[int]:
        """The processes of the trees that still are there."""
        return [pid for name in "ab" for pid in self.pids(name) if self.lab.process_runs(pid)]

    def journalled(self) -> dict[str, list[str]]:
        return {name: self.lab.events(name) for name in "ab"}


@pytest.fixture
def forest(lab: Lab) -> Iterator[Forest]:
    made = Forest(lab)
    yield made
    for pid in made.left():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("to_group", [False, True], ids=["to the engine", "to its group"])
def test_an_interrupted_run_leaves_no_process_and_says_what_it_interrupted(
    forest: Forest, number: signal.Signals, to_group: bool
) -> None:
    forest.write()
    process = forest.start()
    (os.killpg if to_group else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130, errors
    assert forest.left() == []
    assert forest.journalled() == {name: ["task_started", "task_interrupted"] for name in "ab"}
    assert [event["event"] for event in forest.lab.journal()][-2:] == ["job_interrupted", "run_finished"]
    assert forest.lab.journal()[-1]["status"] == "interrupted"


def test_a_second_ctrl_c_ends_the_engine_at_once_and_its_trees_soon_after(forest: Forest) -> None:
    forest.write(launcher={"max_parallel": 2, "cpus": 2, "grace": 4})  # of which the deaf worker makes use
    process = forest.start()
    process.send_signal(signal.SIGINT)
    while forest.journalled() != {name: ["task_started", "task_interrupted"] for name in "ab"}:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert all(event["event"] != "job_finished" for event in forest.lab.journal())
    while forest.left():
        os.sched_yield()


DEAF = "trap '' TERM; touch $0.began; while :; do sleep 0.05; done"
"""A task that does not end when it is asked to."""

ONLY_A_DEAF = f"if [ $0 = a ]; then {DEAF}; fi; touch $0.began; exec sleep 10000"


def start_tasks(lab: Lab, script: str, grace: float) -> subprocess.Popen[str]:
    """The tasks a and b, side by side, each with its process id in a file; returns when both have begun."""
    launcher = {"max_parallel": 2, "cpus": 2, "grace": grace}
    lab.shell(f"echo $$ > $0.pid; {script}", names=["a", "b"], launcher=launcher)
    command = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"]
    process = subprocess.Popen(command, cwd=lab.folder, stderr=subprocess.PIPE, text=True)
    while not all((lab.folder / f"{name}.began").exists() for name in "ab"):
        assert process.poll() is None, process.communicate()
        os.sched_yield()
    return process


def tasks_left(lab: Lab) -> list[str]:
    return [name for name in "ab" if lab.process_runs(int((lab.folder / f"{name}.pid").read_text()))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("script", [ONLY_A_DEAF, DEAF], ids=["only the first is deaf", "both are deaf"])
def test_an_interrupted_engine_outlives_tasks_that_are_deaf(lab: Lab, script: str, number: signal.Signals) -> None:
    process = start_tasks(lab, script, grace=1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=100)
    assert tasks_left(lab) == []
    assert process.returncode == 130, errors
    assert [lab.events(name) for name in "ab"] == [["task_started", "task_interrupted"]] * 2
    assert [event["event"] for event in lab.journal()][-2:] == ["job_interrupted", "run_finished"]


def test_a_second_ctrl_c_ends_at_once_what_is_deaf_and_has_a_long_grace(lab: Lab) -> None:
    process = start_tasks(lab, DEAF, grace=10_000)
    process.send_signal(signal.SIGINT)
    while [lab.events(name) for name in "ab"] != [["task_started", "task_interrupted"]] * 2:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    deadline = time.monotonic() + 100
    while tasks_left(lab):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_a_killed_engine_takes_its_trees_with_it(forest: Forest) -> None:
    forest.write()
    process = forest.start()
    process.kill()
    process.communicate()
    while forest.left():
        os.sched_yield()
    assert forest.journalled() == {name: ["task_started"] for name in "ab"}


def test_a_failing_sibling_fells_the_trees(forest: Forest) -> None:
    forest.write("abc")
    process = forest.start()
    (forest.lab.folder / "fell").touch()
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert forest.left() == []
    assert "task 'c' failed" in errors and "2 tasks stopped because of it: 'a', 'b'" in errors
    assert forest.journalled() == {name: ["task_started", "task_interrupted"] for name in "ab"}


def test_a_timeout_fells_a_tree(forest: Forest) -> None:
    for timeout in (1, 4, 16, 64):  # the first that lets the tree stand up before it ends
        forest.write("a", timeout=timeout)
        with pytest.raises(JobFailed, match=f"stopped after its timeout of {timeout} s"):
            forest.lab.run()
        assert forest.left() == []
        if forest.stands("a"):
            return
        for path in (forest.lab.folder / "a").iterdir():
            path.unlink()
        (forest.lab.folder / "a").rmdir()
    raise AssertionError("the tree never stood up")


def test_an_interrupted_run_goes_on_with_the_tasks_that_had_not_finished(lab: Lab) -> None:
    script = "echo run $0 >> calls.log; if [ $0 = b ] && [ -e hang ]; then touch hangs; exec sleep 10000; fi; echo $0 > $1"
    (lab.folder / "hang").touch()
    lab.shell(script, launcher={"max_parallel": 1})
    process = subprocess.Popen(
        [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"], cwd=lab.folder, stderr=subprocess.PIPE, text=True
    )
    while not (lab.folder / "hangs").exists():
        assert process.poll() is None
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    (lab.folder / "hang").unlink()
    lab.calls()
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run c"]
    assert lab.context_infos() == {"anonymous": [{"meta_name": "train", "models": ["a", "b", "c"]}]}
    assert json.loads((lab.work_dir / "journal.jsonl").read_text().splitlines()[-1])["status"] == "finished"
