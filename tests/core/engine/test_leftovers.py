"""A run does not begin while processes of a killed one still end: both would write the same files."""

import subprocess
import sys
from pathlib import Path

import pytest
from djsandbox.engine.leftovers import wait_for_leftovers

ENGINE = """
import sys
from pathlib import Path
from djsandbox.process.command import Command
from djsandbox.process.running import start

stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
running = start(
    Command((sys.executable, "-c", stubborn), held=Path(sys.argv[1]), grace=1.0), lambda line: print(running.pid, flush=True)
)
running.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_run_waits_for_what_a_killed_one_has_started(tmp_path: Path) -> None:
    held = tmp_path / ".processes"
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(held)], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    pid = int(engine.stdout.readline())
    engine.kill()
    engine.communicate()
    assert Path(f"/proc/{pid}").exists()  # it ignores the request to end, for the second that it is given
    wait_for_leftovers(held)
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_is_waited_for_where_no_run_has_been(tmp_path: Path) -> None:
    wait_for_leftovers(tmp_path / ".processes")
    assert not list(tmp_path.iterdir())
