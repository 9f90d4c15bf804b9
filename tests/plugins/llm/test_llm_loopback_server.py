"""`python -m djsandbox_llm.testing` around a command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

SERVER = [sys.executable, "-m", "djsandbox_llm.testing"]

PATIENT = """
import signal, sys, time
def end(*_):
    time.sleep(1)  # there is something to put away
    sys.exit(7)
signal.signal(signal.SIGINT, end)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_command_that_is_interrupted_ends_in_its_own_time():
    argv = [*SERVER, "--", sys.executable, "-c", PATIENT]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does
        _, said = process.communicate(timeout=60)
    assert process.returncode == 7
    assert said == ""


def test_the_command_has_the_server_and_its_exit_code_is_ours():
    code = "import os, signal; assert os.environ['OPENAI_BASE_URL'].startswith('http://127.0.0.1:'); os.kill(os.getpid(), 9)"
    assert subprocess.run([*SERVER, "--", sys.executable, "-c", code], check=False).returncode == 128 + signal.SIGKILL


def test_a_command_that_there_is_not_and_a_port_that_is_taken_are_told_in_one_line():
    done = subprocess.run([*SERVER, "--", "no-such-command"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (127, "cannot run 'no-such-command': No such file or directory\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*SERVER, "--port", port], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cannot listen on port {port}: Address already in use" in done.stderr
