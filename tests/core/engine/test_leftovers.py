"""A run does not begin while processes of a killed one still end: both would write the same files."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from djsandbox.engine.leftovers import wait_for_leftovers

Lab = Any

ENGINE = """
import sys
from pathlib import Path
from djsandbox.process.command import Command
from djsandbox.process.running import start

stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
running = start(
    Command((sys.executable, "-c", stubborn), held=Path(sys.argv[1]), grace=600.0), lambda line: print(running.pid, flush=True)
)
running.wait()
"""


class Heard(logging.Handler):
    """Is set when it is said that a run waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "waiting for the processes" in record.getMessage():
            self.waits.set()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_run_waits_for_what_a_killed_one_has_started(tmp_path: Path) -> None:
    held = tmp_path / ".processes"
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(held)], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    pid = int(engine.stdout.readline())
    engine.kill()
    engine.communicate()
    was_there: list[bool] = []

    def wait() -> None:
        wait_for_leftovers(held)
        was_there.append(Path(f"/proc/{pid}").exists())

    heard, waiting = Heard(), threading.Thread(target=wait, daemon=True)
    logger = logging.getLogger("djsandbox.engine")
    logger.addHandler(heard)
    try:
        waiting.start()
        assert heard.waits.wait(100)
    finally:
        logger.removeHandler(heard)
        os.kill(pid, signal.SIGKILL)  # it would ignore the request to end for minutes
    waiting.join(100)
    assert was_there == [False]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_tasks_of_a_resumed_run_begin_when_those_of_the_killed_one_have_ended(lab: Lab) -> None:
    deaf = "trap '' TERM; echo $$ > old; touch began; while :; do sleep 0.05; done"
    script = f"if [ ! -e old ]; then {deaf}; fi; [ -d /proc/$(cat old) ] && exit 9; echo $0 > $1"
    lab.shell(script, names=["a"], launcher={"grace": 3})
    command = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"]
    killed = subprocess.Popen(command, cwd=lab.folder)
    while not (lab.folder / "began").exists():
        assert killed.poll() is None
        os.sched_yield()
    killed.kill()
    killed.wait()
    resumed = subprocess.run([*command, "--resume"], cwd=lab.folder, capture_output=True, text=True, check=False, timeout=100)
    assert resumed.returncode == 0, resumed.stderr


def test_nothing_is_waited_for_where_no_run_has_been(tmp_path: Path) -> None:
    wait_for_leftovers(tmp_path / ".processes")
    assert not list(tmp_path.iterdir())
