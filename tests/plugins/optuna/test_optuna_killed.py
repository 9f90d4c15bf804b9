"""A process that searches is killed with SIGKILL; the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox import SweepConfig, Trial, TrialResult

PARALLEL = 2

# Asks and tells as the engine does, and writes down each step before the next; waits to be killed after `steps` of them.
SCRIPT = """
import json, sys
from pathlib import Path
from djsandbox import Trial, TrialResult
from djsandbox.config.sweep_file import read_sweep
from djsandbox_optuna.sweeper import OptunaSweeper

file, folder, journal, steps = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
lines = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
results = [TrialResult(Trial(one["number"], one["values"]), "done", one["value"]) for one in lines if one["event"] == "told"]

def note(event, trial, value=None):
    with journal.open("a") as out:
        out.write(json.dumps({"event": event, "number": trial.number, "values": dict(trial.values), "value": value}) + "\\n")

sweeper = OptunaSweeper(OptunaSweeper.Config(seed=7), read_sweep(file, []), folder)
sweeper.open("s", results)
running = []
while steps:
    if len(running) < PARALLEL:
        running.append(sweeper.ask())
        note("asked", running[-1])
    else:
        trial = running.pop(0)
        note("told", trial, trial.values["a"])
        sweeper.tell(TrialResult(trial, "done", trial.values["a"]))
    steps -= 1
running.append(sweeper.ask())  # nobody learns of this one
print("ready", flush=True)
sys.stdin.read()
""".replace("PARALLEL", str(PARALLEL))


@pytest.fixture
def killed(tmp_path: Path) -> Callable[[SweepConfig, int], list[dict[str, Any]]]:
    """Runs the script and kills it; returns what it had written down by then."""
    script = tmp_path / "searching.py"
    script.write_text(SCRIPT)

    def run(config: SweepConfig, steps: int) -> list[dict[str, Any]]:
        command = [sys.executable, str(script), str(config.file), str(tmp_path / "record"), str(tmp_path / "j"), str(steps)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            os.kill(process.pid, signal.SIGKILL)
        return [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]

    return run


def test_a_killed_search_gives_its_unfinished_trials_again_and_loses_none(
    sweep: Callable[..., SweepConfig], begin: Callable[..., Any], killed: Callable[[SweepConfig, int], list[dict[str, Any]]]
) -> None:
    config = sweep("a: {min: 0.0, max: 1.0}\nb: {distribution: normal}\nc: {values: [[1], [2]]}", method="bayes")
    written: list[dict[str, Any]] = []
    for steps in (1, 5, 4):
        written = killed(config, steps)
    told = {one["number"]: one for one in written if one["event"] == "told"}
    asked = [one for one in written if one["event"] == "asked"]
    values: dict[int, Any] = {}
    for one in asked:
        assert values.setdefault(one["number"], one["values"]) == one["values"]
    results = [TrialResult(Trial(number, one["values"]), "done", one["value"]) for number, one in told.items()]

    sweeper = begin(config, results, seed=7)
    again = [sweeper.ask() for _ in range(4)]
    unfinished = {number: one for number, one in values.items() if number not in told}
    assert {trial.number: trial.values for trial in again}.items() >= unfinished.items()
    numbers = sorted([*told, *(trial.number for trial in again)])
    assert numbers == list(range(1, len(numbers) + 1))
