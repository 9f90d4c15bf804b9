"""What a sweep optimizes: read where it says, missed at once, reached in time."""

from typing import Any

import pytest
from djsandbox.errors import SandboxError

Lab = Any

MAX_LEN = "length_filter.max_len"
BONUS = "anonymous.score.extra_configs.bonus"


def tries(*lengths: int) -> list[dict[str, Any]]:
    return [{MAX_LEN: length, BONUS: 0.5} for length in lengths]


def test_a_metric_that_only_the_watcher_saw_can_be_optimized(sweep_lab: Lab) -> None:
    losses = "anonymous.score.extra_configs.losses"
    sweep_lab.sweep(
        [{losses: [3.0, 1.0]}, {losses: [2.0, 0.5]}],
        metric={"name": "score.loss"},
        parameters={losses: {"values": [[3.0, 1.0], [2.0, 0.5]]}},
    )
    result = sweep_lab.run()
    assert (result.best.trial.number, result.best.value) == (2, 0.5)


def test_a_metric_that_no_job_recorded_ends_the_sweep_after_one_trial(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1, 2, 3), metric={"name": "score.los"})
    losses = "dataset_path: <input>, losses: [1.0]}"
    sweep_lab.edit("dataset_path: <input>}\n", f"{losses}\n")
    message = r"trial 1 ran to its end, and yet failed: .*the metric 'score.los' was not recorded\s+did you mean 'score.loss'"
    with pytest.raises(SandboxError, match=message):
        sweep_lab.run()
    assert len([event for event in sweep_lab.journal() if event["event"] == "trial_finished"]) == 1


def test_a_metric_that_other_trials_recorded_does_not_end_the_sweep(sweep_lab: Lab) -> None:
    losses = "anonymous.score.extra_configs.losses"
    sweep_lab.sweep(
        [{losses: [1.0]}, {losses: []}, {losses: [2.0]}],
        metric={"name": "score.loss"},
        parameters={losses: {"values": [[1.0], [], [2.0]]}},
    )
    assert [one.status for one in sweep_lab.run().trials] == ["done", "failed", "done"]


def test_a_trial_whose_metric_is_no_finite_number_has_failed(sweep_lab: Lab) -> None:
    sweep_lab.edit("+ self.config.bonus,", '* (1.0 if self.config.bonus else float("nan")),', "parts.py")
    sweep_lab.sweep([{BONUS: 0.0}, {BONUS: 1.0}], parameters={BONUS: {"values": [0.0, 1.0]}})
    assert [(one.status, one.value) for one in sweep_lab.run().trials] == [("failed", None), ("done", 6.0)]


def test_a_sweep_ends_when_the_target_is_reached(sweep_lab: Lab) -> None:
    metric = {"name": "anonymous.score.value", "goal": "maximize", "target": 5}
    sweep_lab.sweep(tries(2, 5, 3, 6), metric=metric)
    assert len(sweep_lab.run().trials) == 2


def test_a_trial_that_falls_behind_is_stopped_early(sweep_lab: Lab) -> None:
    losses = "anonymous.score.extra_configs.losses"
    # The second trial would never end by itself.
    sweep_lab.sweep(
        [{losses: [1.0, 0.5]}, {losses: [500.0, 400.0]}, {losses: [0.9, 0.4]}],
        metric={"name": "score.loss"},
        parameters={losses: {"values": [[1.0, 0.5], [500.0, 400.0], [0.9, 0.4]]}},
        early_terminate={"type": "hyperband", "min_iter": 2, "eta": 3},
    )
    result = sweep_lab.run()
    assert [one.status for one in result.trials] == ["done", "stopped", "done"]
    assert result.best.trial.number == 3


def test_a_metric_is_that_of_its_own_job_where_two_share_a_name(sweep_lab: Lab) -> None:
    losses = "anonymous.score.extra_configs.losses"
    data = (sweep_lab.folder / "sandbox.yaml").read_text()
    other = """  - hook: EvaluateDataHook
    meta_name: score
    output: [other, others]
    extra_configs: {type: "./parts.py:Score", dataset_path: parts.py, losses: [9.0, 9.0, 9.0]}
"""
    (sweep_lab.folder / "sandbox.yaml").write_text(data + other)
    sweep_lab.edit('return ["loss"]', 'return ["loss", "value"]', "parts.py")
    sweep_lab.edit('self.watcher.watch({"loss": loss}', 'self.watcher.watch({"loss": loss, "value": loss}', "parts.py")
    sweep_lab.sweep(
        [{f"anonymous.evaluation_job_configs.0.{losses.partition('score.')[2]}": [2.0, 1.0]}],
        parameters={f"anonymous.evaluation_job_configs.0.{losses.partition('score.')[2]}": {"values": [[2.0, 1.0]]}},
        early_terminate={"type": "hyperband", "min_iter": 2},
    )
    sweep_lab.run()
    assert [event["value"] for event in sweep_lab.journal() if event["event"] == "trial_reported"][:2] == [2.0, 1.0]
