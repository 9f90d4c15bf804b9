"""Tasks of a run that is killed in the middle of them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import djsandbox
import pytest

Lab = Any

HANG = """
echo run $0 >> calls.log; echo loss 1 0.5
case $0 in c|d) if [ -e hang ]; then echo half > $1; echo $$ > $0.pid; while :; do sleep 0.01; done; fi;; esac
echo loss 2 0.25; echo model $0 > $1
"""


def kill_in_the_middle(lab: Lab, *options: str, **config: Any) -> None:
    """Kill a run of five tasks when two have finished and two are at work."""
    (lab.folder / "hang").touch()
    lab.shell(HANG, names=list("abcde"), launcher={"max_parallel": 2, "cpus": 2}, **config)
    process = subprocess.Popen([sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", *options], cwd=lab.folder)
    pids = [lab.folder / "c.pid", lab.folder / "d.pid"]
    while not all(pid.exists() and pid.read_text().endswith("\n") for pid in pids):
        assert process.poll() is None
        os.sched_yield()
    process.kill()
    process.wait()
    for pid in pids:
        while lab.process_runs(int(pid.read_text())):
            os.sched_yield()
        pid.unlink()
    (lab.folder / "hang").unlink()


@pytest.mark.parametrize("export_path", [None, "out"], ids=["in the job's own folder", "in an output folder"])
def test_a_run_killed_in_the_middle_of_its_tasks_goes_on_with_those_that_had_not_finished(
    lab: Lab, export_path: str | None
) -> None:
    kill_in_the_middle(lab, export_path=export_path)
    assert sorted(lab.calls()) == ["run a", "run b", "run c", "run d"]
    lab.run(resume=True)
    assert sorted(lab.calls()) == ["run c", "run d", "run e"]
    assert lab.models() == [f"model {name}" for name in "abcde"]
    resumed = djsandbox.SandboxWatcher(lab.work_dir)
    assert resumed.query("train") == {name: {"loss": 0.25} for name in "abcde"}
    assert [resumed.history(f"train.{name}.loss") for name in "abcde"] == [[(1, 0.5), (2, 0.25)]] * 5
    context = lab.context_infos()
    lab.run(resume=True)
    assert lab.calls() == []
    assert lab.context_infos() == context


def test_a_run_killed_twice_keeps_what_it_had_taken_over_when_it_was_killed_again(lab: Lab) -> None:
    kill_in_the_middle(lab)
    assert sorted(lab.calls()) == ["run a", "run b", "run c", "run d"]
    kill_in_the_middle(lab, "--resume")
    assert sorted(lab.calls()) == ["run c", "run d"]
    lab.run(resume=True)
    assert sorted(lab.calls()) == ["run c", "run d", "run e"]
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert [watcher.history(f"train.{name}.loss") for name in "abcde"] == [[(1, 0.5), (2, 0.25)]] * 5
