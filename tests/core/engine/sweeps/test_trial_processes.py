"""Trials beside each other do not fight for GPUs."""

import pytest
from djsandbox.engine.sweeps.processes import shares


@pytest.mark.parametrize(
    ("gpus", "parallel", "divided"),
    [
        ([], 2, ["", ""]),
        (["0", "1"], 1, [""]),
        (["0", "1"], 2, ["0", "1"]),
        (["0", "1", "2", "3"], 2, ["0,2", "1,3"]),
        (["0", "1", "2"], 2, ["0,2", "1"]),
        (["0"], 2, ["0", "0"]),
    ],
)
def test_trials_divide_the_gpus(gpus: list[str], parallel: int, divided: list[str]) -> None:
    assert shares(gpus, parallel) == divided
