"""Metrics are read from what Trinity's monitor prints, whatever Ray adds to it."""

from __future__ import annotations

import math

import pytest
from djsandbox_trinity.monitor import record_of

BODY = "INFO 11-22 16:27:39 [monitor.py:113] Step 1: {'actor/final_loss': 0.0123457, 'actor/lr': 1e-06}"
EXPECTED = {"actor/final_loss": 0.0123457, "actor/lr": 1e-06}


@pytest.mark.parametrize(
    "line",
    [
        BODY,
        f"(Trainer pid=3839503) {BODY}",
        f"(Trainer pid=3839503, ip=10.0.0.7) {BODY}",
        f"\x1b[36m(Trainer pid=3839503)\x1b[0m {BODY}",
        f"\x1b[36m(Trainer pid=1, ip=10.0.0.7)\x1b[0m {BODY}\x1b[32m [repeated 2x across cluster]\x1b[0m",
        f"(Trainer pid=1) {BODY} [repeated 12x across cluster]",
        f"{BODY}\r",
        BODY.replace("[monitor.py", "monitor.py"),
    ],
)
def test_what_ray_adds_to_a_line_changes_nothing(line):
    record = record_of(line)
    assert (record.step, record.metrics) == (1, EXPECTED)


def test_nan_and_infinities_are_numbers():
    metrics = record_of("[monitor.py:113] Step 7: {'a': nan, 'b': inf, 'c': -inf, 'd': -1.5e-07, 'e': 123457}").metrics
    assert math.isnan(metrics["a"])
    assert {key: metrics[key] for key in "bcde"} == {"b": math.inf, "c": -math.inf, "d": -1.5e-07, "e": 123457}


def test_every_number_is_read_and_not_only_where_throughput_is_told():
    record = record_of("[monitor.py:113] Step 3: {'critic/rewards/mean': 0.25}")
    assert record.metrics == {"critic/rewards/mean": 0.25}


def test_what_is_no_number_is_passed_over():
    line = """[monitor.py:1] Step 2: {'a': 1, 's': "it's, 'x': 5", 'l': [1, 2], 'd': {'z': 3}, 'n': None, 'b': 2}"""
    assert record_of(line).metrics == {"a": 1, "b": 2}


def test_a_line_that_breaks_off_gives_what_is_whole():
    assert record_of("[monitor.py:113] Step 2: {'a': 1.5, 'b': 2.5, 'c").metrics == {"a": 1.5, "b": 2.5}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "INFO 11-22 16:27:39 [x.py:8] Training at step 1 started.",
        "[monitor.py:113] Step 1: {}",
        "[monitor.py:113] Step x: {'a': 1}",
        "[monitor.py:113] Step 1: {'a': __import__('os').system('false')}",
        "[other_monitor.py:113] Step 1: {'a': 1}",
    ],
)
def test_other_lines_hold_no_metrics(line):
    assert record_of(line) is None
