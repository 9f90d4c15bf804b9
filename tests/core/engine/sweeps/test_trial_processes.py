"""Trials beside each other do not fight for CPUs and GPUs."""

from typing import Any

import pytest
from djsandbox import Attempt, Task
from djsandbox.engine.launching.devices import SHARE, share_of
from djsandbox.engine.launching.local import LocalLauncher
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


@pytest.mark.parametrize(("total", "divided"), [(0, [0, 0, 0]), (1, [1, 1, 1]), (3, [1, 1, 1]), (4, [2, 1, 1]), (8, [3, 3, 2])])
def test_trials_divide_what_there_is_and_get_one_at_least(
    monkeypatch: pytest.MonkeyPatch, total: int, divided: list[int]
) -> None:
    found = []
    for at in range(3):
        monkeypatch.setenv(SHARE, f"{at}/3")
        found.append(share_of(total))
    assert found == divided


def test_what_runs_alone_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARE, raising=False)
    assert share_of(5) == 5


def test_the_launcher_of_a_trial_shares_out_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARE, "0/2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    said: list[str] = []
    task = Task("one", ("sh", "-c", 'echo "$CUDA_VISIBLE_DEVICES"'), ("out",), cpus=8, gpus=2)
    with LocalLauncher(LocalLauncher.Config(cpus=8, gpus=4, max_parallel=6)) as local:
        assert local.max_parallel == 3
        assert local.problem_with(task) is None  # it gets the four CPUs that there are for this trial
        local.run(Attempt(task, "job"), lambda: None, said.append)
    assert said == ["4,6"]
    assert list(LocalLauncher(LocalLauncher.Config(gpus=4)).check()) == []


def test_trials_beside_each_other_divide_the_gpus_that_a_launcher_is_to_share_out(
    sweep_lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    sweep_lab.edit("hpo_config:", "launcher: {gpus: 2}\nhpo_config:")
    max_len = "length_filter.max_len"
    sweep_lab.sweep([{max_len: 2}, {max_len: 3}], sweeper={"parallel": 2})
    assert [one.status for one in sweep_lab.run().trials] == ["done", "done"]
