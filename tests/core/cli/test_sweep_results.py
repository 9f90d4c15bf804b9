"""What is said at the end of a sweep can be typed as it stands."""

import shlex
from pathlib import Path

from djsandbox.cli.results import sweep_ending
from djsandbox.components.sweeper import Trial, TrialResult
from djsandbox.engine.sweeps.result import SweepResult


def test_the_command_that_runs_the_best_config_can_be_pasted() -> None:
    best = TrialResult(Trial(1, {"a": 1}), "done", 1.0)
    path = Path("outputs/prö jekt 1/best.yaml")
    result = SweepResult("run_0001", path.parent, (best,), best, path, (), 1.0)
    (line,) = [line for line in sweep_ending(result) if "run it again with" in line]
    assert shlex.split(line.partition(": ")[2]) == ["djsandbox", "run", str(path)]
