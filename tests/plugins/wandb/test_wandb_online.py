"""The tracker with the real library, online: what it sends arrives at a stand-in for W&B's server, on loopback."""

from __future__ import annotations

import json
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


FORK = """
        import os, pathlib, time
        forked = os.fork()
        if forked:
            pathlib.Path("fork").write_text(str(forked))
        time.sleep(600)
"""


def processes() -> list[str]:
    """The processes of this test's runs that are still there after a while: all of them work in its folder."""
    until = time.monotonic() + 30
    while True:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_here = (process / "cwd").resolve() == Path.cwd() and int(process.name) != os.getpid()
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_here and command:  # a zombie has none
                found.append(command)
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def test_with_a_key_a_run_is_mirrored_while_it_runs_and_nothing_of_it_reaches_the_run(lab: Lab, logged_in: Any) -> None:
    before = dict(os.environ)

    djsandbox.run(lab("tracker: {type: wandb, entity: me, tags: [one, two], notes: why}"))

    found = logged_in.named("first")
    assert (found["project"], found["groupName"], found["tags"], found["notes"]) == ("lab-one", "first", ["one", "two"], "why")
    assert [row["measure.loss"] for row in found["rows"] if "measure.loss" in row] == [2.0, 1.0, pytest.approx(2 / 3)]
    assert found["summary"]["demo.measure.square"] == 4.0
    assert found["exit_code"] == 0
    (table,) = [json.loads(body) for name, body in found["files"].items() if name.endswith(".table.json")]
    assert table["data"] == [["a", 1], ["b", None]]
    assert dict(os.environ) == before and "wandb" not in sys.modules


def test_a_run_that_fails_is_a_failed_run_there(lab: Lab, logged_in: Any) -> None:
    with pytest.raises(JobFailed):
        djsandbox.run(lab("tracker: wandb", extra="x: 101.0"))

    found = logged_in.named("first")
    assert (found["exit_code"], found["summary"]["status"]) == (1, "failed")
    assert found["summary"]["measure.label"] == "good"


def test_a_server_that_answers_no_more_is_waited_for_as_long_as_wished(lab: Lab, logged_in: Any) -> None:
    logged_in.hangs.set()
    said: list[str] = []

    class Notices:
        @djsandbox.hookimpl
        def djsandbox_notice(self, text: str) -> None:
            said.append(text)

    djsandbox.run(lab("tracker: {type: wandb, patience: 3, init_timeout: 4}"), plugins={"notices": Notices()})

    assert djsandbox.SandboxWatcher("out").query("measure.label") == "good"
    assert said[-1].startswith(
        "W&B: the upload was not finished when the run ended; to go on with it: wandb sync --include-online "
    )
    assert not processes()


def test_what_a_killed_run_had_measured_is_there_though_a_fork_of_it_lives_and_no_process_stays(
    lab: Lab, logged_in: Any
) -> None:
    file = lab("tracker: wandb")
    part = Path("measure.py")
    part.write_text(part.read_text().replace("        if self.config.x > 100", f"{FORK}        if 0"))
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
    os.kill(int(Path("fork").read_text()), signal.SIGKILL)
    assert not processes()
