"""The tracker with the real library, online: what it sends arrives at a stand-in for W&B's server, on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

pytestmark = pytest.mark.slow

Lab = Callable[..., Path]


def test_with_a_key_a_run_is_mirrored_while_it_runs(lab: Lab, logged_in: Any) -> None:
    djsandbox.run(lab("tracker: {type: wandb, entity: me, tags: [one, two], notes: why}"))

    found = logged_in.named("first")
    assert (found["project"], found["groupName"], found["tags"], found["notes"]) == ("lab-one", "first", ["one", "two"], "why")
    assert [row["measure.loss"] for row in found["rows"] if "measure.loss" in row] == [2.0, 1.0, pytest.approx(2 / 3)]
    assert found["summary"]["demo.measure.square"] == 4.0
    assert found["exit_code"] == 0


def test_a_run_that_fails_is_a_failed_run_there(lab: Lab, logged_in: Any) -> None:
    with pytest.raises(JobFailed):
        djsandbox.run(lab("tracker: wandb", extra="x: 101.0"))

    found = logged_in.named("first")
    assert (found["exit_code"], found["summary"]["status"]) == (1, "failed")
    assert found["summary"]["measure.label"] == "good"


def test_the_environment_of_the_run_stays_as_it_was(lab: Lab, logged_in: Any) -> None:
    before = dict(os.environ)

    djsandbox.run(lab("tracker: wandb"))

    assert dict(os.environ) == before
    assert "wandb" not in sys.modules


def test_what_a_killed_run_had_measured_is_there_and_no_process_stays(lab: Lab, logged_in: Any) -> None:
    file = lab("tracker: wandb")
    part = Path("measure.py")
    part.write_text(
        part.read_text().replace("        if self.config.x > 100", "        import time; time.sleep(600)\n        if 0")
    )
    running = subprocess.Popen([sys.executable, "-m", "djsandbox", "run", str(file), "-q"])
    until = time.monotonic() + 60
    while not any(run["history"] for run in logged_in.runs.values()) and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    while not any(run["exit_code"] for run in logged_in.runs.values()) and time.monotonic() < until:
        time.sleep(0.1)
    found = logged_in.named("first")
    assert (found["exit_code"], found["summary"]["status"], found["summary"]["measure.label"]) == (1, "killed", "good")
