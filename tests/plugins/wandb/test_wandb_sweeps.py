"""W&B's own sweep, run by W&B's real agent against a stand-in for its server, on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox.errors import SandboxError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("brisk")]

Lab = Callable[..., Path]
X = "demo.measure.extra_configs.x"


def sweep_file(parameters: str = "{min: 0.0, max: 4.0}", more: str = "", cap: int = 9) -> None:
    text = f"method: bayes\nmetric: {{name: demo.measure.square}}\nrun_cap: {cap}\nparameters: {{{X}: {parameters}}}\n{more}"
    Path("sweep.yaml").write_text(text)


def test_the_server_chooses_the_trials_and_gets_what_they_gave(lab: Lab, logged_in: Any) -> None:
    file = lab("hpo_config: sweep.yaml", "hpo_backend: wandb")
    sweep_file()
    logged_in.trials = [{X: 3.0}, {X: 1.0}]

    result = djsandbox.run(file)

    assert [(one.trial.values, one.value) for one in result.trials] == [({X: 3.0}, 9.0), ({X: 1.0}, 1.0)]
    assert result.best.trial.values == {X: 1.0}
    made = yaml.safe_load(logged_in.sweeps["sw1"])
    assert made["parameters"] == {X: {"distribution": "uniform", "min": 0.0, "max": 4.0}}
    assert (made["name"], made["method"], made["metric"]) == (
        "first", "bayes", {"name": "demo.measure.square", "goal": "minimize"},
    )  # fmt: skip
    runs = logged_in.runs
    assert {run_id: run["sweep"] for run_id, run in runs.items()} == {"run1": "sw1", "run2": "sw1"}
    assert [runs[name]["summary"]["demo.measure.square"] for name in ("run1", "run2")] == [9.0, 1.0]
    assert [runs[name]["config"][X]["value"] for name in ("run1", "run2")] == [3.0, 1.0]
    assert [runs[name]["exit_code"] for name in ("run1", "run2")] == [0, 0]
    assert runs["run1"]["project"] == "lab-one" and runs["run1"]["groupName"] == "first"


def test_a_sweep_that_was_interrupted_goes_on_with_the_same_sweep_and_run(lab: Lab, logged_in: Any) -> None:
    file = lab("hpo_config: sweep.yaml", "hpo_backend: wandb")
    sweep_file("{min: 0.0, max: 200.0}", cap=3)
    logged_in.trials = [{X: 3.0}, {X: 101.0}, {X: 2.0}]

    class Interrupt:
        @djsandbox.hookimpl
        def djsandbox_trial_started(self, trial: Any) -> None:
            if trial.number == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        djsandbox.run(file, plugins={"interrupt": Interrupt()})
    assert len(logged_in.trials) == 1
    result = djsandbox.run(file, resume=True)

    ended = [(one.trial.number, one.trial.values[X], one.status) for one in result.trials]
    assert ended == [(1, 3.0, "done"), (2, 101.0, "failed"), (3, 2.0, "done")]
    assert list(logged_in.sweeps) == ["sw1"]
    assert {run_id: run["exit_code"] for run_id, run in logged_in.runs.items()} == {"run1": 0, "run2": 1, "run3": 0}


def test_two_trials_at_once_are_two_agents_and_have_the_options_of_the_tracker_but_its_offline_mode(
    lab: Lab, logged_in: Any
) -> None:
    file = lab("hpo_config: sweep.yaml", "tracker: {type: wandb, group: mine, mode: offline}")
    sweep_file(more="sweeper: {type: wandb, parallel: 2}\n", cap=2)
    logged_in.trials = [{X: 3.0}, {X: 1.0}]

    result = djsandbox.run(file)

    assert sorted(one.value for one in result.trials) == [1.0, 9.0]
    assert logged_in.agents == 2
    kinds = {run_id: (run["jobType"], run["groupName"]) for run_id, run in logged_in.runs.items() if run_id in logged_in.given}
    assert kinds == {"run1": ("trial", "mine"), "run2": ("trial", "mine")}
    assert len(logged_in.runs) == 2 and len(list(Path("out/wandb").glob("offline-run-*"))) == 1  # the sweep's own is offline


def test_a_server_that_cannot_be_reached_ends_the_sweep_with_what_to_do(
    lab: Lab, logged_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    file = lab("hpo_config: sweep.yaml")
    sweep_file(more="sweeper: {type: wandb, timeout: 2}\n")

    with pytest.raises(SandboxError, match=r"W&B") as raised:
        djsandbox.run(file)

    assert "wandb_sweep.log" in str(raised.value)


def test_a_changed_record_is_not_gone_on_with(lab: Lab, logged_in: Any) -> None:
    from djsandbox.config.sweep_file import read_sweep
    from djsandbox_wandb.sweeper import RECORD, WandbSweeper

    sweep_file()
    found = read_sweep(Path("sweep.yaml"), [])
    assert found is not None
    sweeper = WandbSweeper(WandbSweeper.Config(), found, Path("record"))
    Path("record").mkdir()
    (Path("record") / RECORD).write_text(json.dumps({"name": "s", "space": "another", "ids": {}, "trials": {}}))

    with pytest.raises(SandboxError, match="is of another search"):
        sweeper.open("s", [])
