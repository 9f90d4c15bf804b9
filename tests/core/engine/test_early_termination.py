from __future__ import annotations

import math

import pytest
from djsandbox.config.sweep import Goal, Hyperband
from djsandbox.engine.sweeps.early_termination import EarlyTermination
from djsandbox.errors import Position

HERE = Position("sweep.yaml")


def termination(
    *bands: int, eta: float = 3, strict: bool = True, goal: Goal = "minimize", reports: object = ()
) -> EarlyTermination:
    return EarlyTermination(Hyperband(bands, eta, strict, HERE), goal, reports)  # type: ignore[arg-type]


def fed(early: EarlyTermination, trial: int, values: list[float]) -> list[bool]:
    return [early.report(trial, count, value) for count, value in enumerate(values, 1)]


def test_a_trial_is_not_judged_before_the_first_band() -> None:
    early = termination(3)
    assert fed(early, 1, [0.1, 0.1, 0.1]) == [False, False, False]
    assert fed(early, 2, [9.0, 9.0]) == [False, False]


def test_the_first_trial_at_a_band_goes_on_and_a_worse_second_one_is_stopped() -> None:
    early = termination(1)
    assert fed(early, 1, [5.0]) == [False]
    assert fed(early, 2, [6.0]) == [True]
    assert fed(early, 3, [4.0]) == [False]


def test_the_example_of_wandb_stops_the_trial_that_wandb_stops() -> None:
    # The histories of the docstring of hyperband_stop_runs: max_iter 5, eta 2, s 2 give the bands 1 and 2.
    early = termination(1, 2, eta=2)
    ended = {"a": [10.0, 9.0], "e": [10.0, 6.0, 6.0]}
    running = {"b": [10.0, 10.0], "c": [10.0, 8.0, 8.0], "d": [10.0, 7.0, 7.0]}
    last = {}
    for number, (name, history) in enumerate([*ended.items(), *running.items()]):
        last[name] = fed(early, number, history)[-1]
    # At band 2 stand 6, 7, 8, 9 and 10; the best half is what is no worse than the value at index int(5 / 2).
    assert [name for name in running if last[name]] == ["b"]


@pytest.mark.parametrize(("eta", "going_on"), [(1.5, 5), (2, 4), (3, 3), (6, 2)])
def test_at_most_one_more_than_the_best_part_of_the_values_at_a_band_goes_on(eta: float, going_on: int) -> None:
    early = termination(1, eta=eta)
    for trial in range(6):
        early.report(trial, 1, float(trial))
    stopped = [early.report(trial, 2, 99.0) for trial in range(6)]
    assert stopped == [False] * going_on + [True] * (6 - going_on)


def test_where_the_goal_is_to_maximize_the_lower_value_is_stopped() -> None:
    early = termination(1, goal="maximize")
    assert fed(early, 1, [0.9]) == [False]
    assert fed(early, 2, [0.8]) == [True]
    assert fed(early, 3, [0.95]) == [False]


def test_strictly_the_value_at_the_band_counts_and_else_the_best_value_so_far() -> None:
    rises_late = [1.0, 8.0]
    for strict in (True, False):
        early = termination(2, strict=strict)
        fed(early, 1, [5.0, 5.0])
        assert fed(early, 2, rises_late) == [False, strict]


def test_a_trial_that_others_overtook_at_a_band_it_has_passed_is_stopped_at_its_next_report() -> None:
    early = termination(1)
    assert early.report(1, 1, 5.0) is False
    assert early.report(1, 2, 4.0) is False
    assert early.report(2, 1, 3.0) is False
    assert early.report(1, 3, 0.0) is True


def test_a_trial_is_judged_at_the_last_band_it_has_reached() -> None:
    early = termination(1, 3)
    fed(early, 1, [1.0, 1.0, 1.0])
    assert fed(early, 2, [0.5, 9.0, 2.0]) == [False, False, True]


def test_earlier_and_ended_trials_count_after_a_restart() -> None:
    reports = [(1, 1, 5.0), (1, 2, 4.0), (2, 1, 6.0)]
    early = termination(1, reports=reports)
    assert early.report(3, 1, 5.5) is False
    assert early.report(4, 1, 7.0) is True


def test_a_trial_that_runs_again_counts_with_what_it_reports_now() -> None:
    early = termination(2, reports=[(1, 1, 1.0), (1, 2, 1.0), (1, 3, 1.0)])
    assert early.report(1, 1, 9.0) is False
    assert early.report(1, 2, 9.0) is False
    assert early.report(2, 1, 5.0) is False
    assert early.report(2, 2, 5.0) is False
    assert early.report(1, 3, 9.0) is True


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_no_report(bad: float) -> None:
    early = termination(2)
    fed(early, 1, [3.0, 3.0])
    assert fed(early, 2, [9.0, bad, bad]) == [False, False, False]
    assert early.report(2, 4, 9.0) is True
