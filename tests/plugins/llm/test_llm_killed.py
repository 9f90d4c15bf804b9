"""What a kill leaves behind, and what the next run makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter

import pytest


def start(lab):
    argv = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", "--resume"]
    return subprocess.Popen(argv, cwd=lab.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(condition, process):
    until = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_where_it_was_and_drops_a_line_that_was_cut_off(lab, serve, how):
    names = [str(number) for number in range(12)]
    answered = {"0", "1", "2", "4", "5", "7"}  # the others get no answer while the first run lives
    server = serve(failing=lambda number, body: None if body["messages"][-1]["content"] in answered else "timeout")
    lab.pool("pool.jsonl", names)
    lab.write(concurrency=7)
    process = start(lab)
    wait_for(lambda: len(lab.kept()) == len(answered), process)
    process.send_signal(how)
    process.wait(timeout=60)
    (log,) = (lab.work_dir / "cache/llm").glob("*.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    asked_before = len(server.bodies)
    server.failing = None
    assert lab.answers(resume=True) == [f"You said: {name}" for name in names]
    asked = Counter(body["messages"][-1]["content"] for body in server.bodies[asked_before:])
    assert set(asked.values()) == {1}
    assert len(asked) == len(names) - len(answered) + 1
