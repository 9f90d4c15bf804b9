"""What is read from the lines of a training, whatever surrounds them."""

from __future__ import annotations

import math

import pytest
from djsandbox_internvl.log_lines import training_metrics

LINE = "{'loss': 2.055, 'learning_rate': 3.0000000000000004e-05, 'epoch': 0.02}"
GIVEN = {"loss": 2.055, "lr": 3.0000000000000004e-05, "epoch": 0.02}


@pytest.mark.parametrize(
    ("line", "metrics"),
    [
        (LINE, GIVEN),
        (f"   {LINE}  ", GIVEN),
        (f"  1%|▏         | 1/100 [00:05<08:15,  5.00s/it]{LINE}", GIVEN),
        (f"\x1b[2K\x1b[32m{LINE}\x1b[0m", GIVEN),
        (f"[rank0]: {LINE}", GIVEN),
        (
            "{'loss': 2.0, 'grad_norm': 0.25, 'learning_rate': 0, 'epoch': 1.0}",
            {"loss": 2.0, "grad_norm": 0.25, "lr": 0.0, "epoch": 1.0},
        ),
        ("{'loss': '2.0', 'learning_rate': '1e-05', 'epoch': '1'}", {"loss": 2.0, "lr": 1e-05, "epoch": 1.0}),
        ("{'loss': inf, 'learning_rate': 1e-05, 'epoch': 1.0}", {"loss": math.inf, "lr": 1e-05, "epoch": 1.0}),
        ("{'train_runtime': 3.5, 'train_loss': 1.25, 'epoch': 1.0}", {"train_runtime": 3.5, "train_loss": 1.25, "epoch": 1.0}),
    ],
)
def test_numbers_are_read_by_their_names(line: str, metrics: dict[str, float]) -> None:
    assert training_metrics(line) == metrics


def test_nan_is_a_number_that_is_passed_on() -> None:
    found = training_metrics("{'loss': nan, 'grad_norm': nan, 'learning_rate': 1e-05, 'epoch': 0.5}")
    assert found is not None and math.isnan(found["loss"]) and math.isnan(found["grad_norm"]) and found["lr"] == 1e-05


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  1%|▏         | 1/100 [00:05<08:15,  5.00s/it]",
        "{'testlen': 90, 'reflen': 92, 'guess': [90, 80]}",
        "run_name=/models/one,",
        "loss: 2.055",
        "{'eval_loss': 2.055}",
        "the loss {'loss'} is not there",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert training_metrics(line) is None
