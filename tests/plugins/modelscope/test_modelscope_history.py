"""Metrics from ModelScope's log and from its history, both as ModelScope 1.40 writes them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from djsandbox import ComponentError, Task
from djsandbox_modelscope.history import nested, read_history, record_of
from djsandbox_modelscope.trainer import ModelscopeTrainExecutor

TRAINING = (
    "2026-11-23 02:44:22,282 - modelscope - INFO - epoch [2][1/4]\tlr: 4.167e-04, eta: 0:00:00, iter_time: 0.084, "
    "data_load_time: 0.012, loss: 0.6834"
)
ON_A_GPU = (
    "2023-07-02 17:26:50,324 - modelscope - INFO - epoch [1][100/4953]\tlr: 4.825e-05, eta: 1 day, 2:03:04, "
    "iter_time: 0.3, data_load_time: 0.0, memory: 8742, loss: 5.6125"
)
EVALUATION = (
    "2026-11-23 02:44:22,351 - modelscope - INFO - epoch(eval) [2][4]\tevaluation/accuracy: 0.5000, "
    "evaluation/binary-f1: 0.0000, evaluation/f1: 0.0000"
)
BY_STEPS = "2026-11-23 02:44:22,351 - modelscope - INFO - iter [30/100]\tlr: 1.000e-03, loss: 2.5000"


def test_a_line_of_the_training_gives_loss_and_learning_rate_at_the_step_since_the_beginning() -> None:
    record = record_of(TRAINING)
    assert record is not None
    assert record.values == {"lr": 4.167e-4, "loss": 0.6834}
    assert record.step(None) == 4 + 1


def test_times_are_no_metrics_and_memory_is_one() -> None:
    record = record_of(ON_A_GPU)
    assert record is not None
    assert record.values == {"lr": 4.825e-5, "memory": 8742.0, "loss": 5.6125}


def test_an_evaluation_stands_at_the_end_of_its_epoch_and_is_no_loss_of_the_training() -> None:
    record = record_of(EVALUATION)
    assert record is not None
    assert record.is_evaluation
    assert record.step(4) == 8
    assert nested(record.values) == {"evaluation": {"accuracy": 0.5, "binary-f1": 0.0, "f1": 0.0}}


def test_a_training_that_counts_steps_instead_of_epochs_is_understood() -> None:
    record = record_of(BY_STEPS)
    assert record is not None
    assert (record.step(None), record.values) == (30, {"lr": 1e-3, "loss": 2.5})


def test_a_loss_that_is_no_number_is_seen() -> None:
    record = record_of(TRAINING.replace("0.6834", "nan"))
    assert record is not None
    assert math.isnan(record.values["loss"])


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23 02:44:22,342 - modelscope - INFO - Saving checkpoint at 1 epoch",
        "my dataset says: loss: 3.2",
        "2026-11-23 02:44:22,351 - modelscope - INFO - epoch [1][1/4]\tlr: ",
        '            "loss": 3',
    ],
)
def test_other_lines_give_nothing(line: str) -> None:
    assert record_of(line) is None


def test_log_and_history_tell_of_the_same_places(tmp_path: Path) -> None:
    path = tmp_path / "1.log.json"
    rows = [
        {"mode": "train", "epoch": 2, "iter": 1, "lr": 4.1666e-4, "data_load_time": 0.01, "loss": 0.68343, "iter_time": 0.08},
        {"mode": "eval", "epoch": 2, "iter": 4, "evaluation/accuracy": 0.5},
        {"env": "a header that some trainers write"},
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    from_log = [record_of(line) for line in (TRAINING, EVALUATION)]
    from_history = list(read_history(str(path)))
    assert [record.place for record in from_history] == [record.place for record in from_log if record]
    assert from_history[0].step(4) == 5


def test_learning_rates_of_several_groups_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "1.log.json"
    path.write_text('{"mode": "train", "epoch": 1, "iter": 1, "lr": {"head": 0.1, "body": 0.01}, "loss": NaN}\n')
    (record,) = read_history(str(path))
    assert (record.values["lr_head"], record.values["lr_body"]) == (0.1, 0.01)
    assert math.isnan(record.values["loss"])


@pytest.mark.parametrize(("losses", "has_failed"), [("NaN, 0.5", False), ("0.5, NaN", True), ("0.5, Infinity", True)])
def test_a_training_whose_last_loss_is_no_number_has_failed(tmp_path: Path, losses: str, has_failed: bool) -> None:
    log = tmp_path / "1.log.json"
    rows = enumerate(losses.split(", "), start=1)
    lines = [f'{{"mode": "train", "epoch": 1, "iter": {at}, "lr": 0.1, "loss": {loss}}}\n' for at, loss in rows]
    log.write_text("".join([*lines, '{"mode": "eval", "epoch": 1, "iter": 2, "evaluation/accuracy": 0.5}\n']))
    note = {"model": "any", "logs": [str(log)], "iterations_per_epoch": 2}
    (tmp_path / "djsandbox_training.json").write_text(json.dumps(note))
    config = {"train_dataset": "./rows.jsonl", "model_name": "./model", "work_dir": str(tmp_path)}
    trainer = ModelscopeTrainExecutor(ModelscopeTrainExecutor.Config(**config))
    task = Task("train", ("python",), (str(tmp_path / "output"), str(tmp_path / "djsandbox_training.json")))
    if has_failed:
        with pytest.raises(ComponentError, match=r"the training diverged: the loss is (nan|inf) in epoch 1, step 2"):
            trainer.task_result(task)
    else:
        assert trainer.task_result(task) == (str(tmp_path / "output"), str(tmp_path))


def test_a_broken_history_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "1.log.json"
    path.write_text('{"mode": "train"}\n{"mode": "tra')
    with pytest.raises(ComponentError, match=r"broken") as error:
        list(read_history(str(path)))
    assert str(error.value.problems[0].where) == f"{path}:2"
