from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import pytest
from djsandbox import SandboxError, SweepConfig, Trial, TrialResult

MakeSweep = Callable[..., SweepConfig]
Begin = Callable[..., Any]
Run = Callable[..., list[TrialResult]]

GRID = "a: {values: [x, y]}\nb: {min: 1, max: 3}\nc: {value: fixed}\nd: {distribution: q_uniform, min: 0, max: 1, q: 0.5}"
SPACE = "a: {min: 0.0, max: 1.0}\nb: {distribution: q_log_uniform_values, min: 1, max: 1000}\nc: {values: [u, v, w]}"


def values(results: list[TrialResult]) -> list[dict[str, Any]]:
    return [dict(result.trial.values) for result in results]


def record(tmp_path: Path) -> list[Any]:
    """The trials of the record, as Optuna itself reads them."""
    path = tmp_path / "record" / "optuna_journal.log"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    trials: list[Any] = optuna.load_study(study_name="s", storage=storage).get_trials()
    return trials


def test_a_grid_is_the_product_in_file_order_with_the_first_parameter_slowest(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    config = sweep(GRID, method="grid")
    results = run(begin(config), 100)
    assert [result.trial.number for result in results] == list(range(1, 19))
    expected = product(["x", "y"], [1, 2, 3], ["fixed"], [0.0, 0.5, 1.0])
    assert [tuple(one.values()) for one in values(results)] == list(expected)
    assert list(results[0].trial.values) == ["a", "b", "c", "d"]
    assert config.grid_size == 18


def test_a_grid_that_is_exhausted_has_nothing_left_also_when_opened_again(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    config = sweep(GRID, method="grid")
    sweeper = begin(config)
    results = run(sweeper, 100)
    assert sweeper.ask() is None
    assert begin(config, results).ask() is None


def test_a_grid_goes_on_where_it_was(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    config = sweep(GRID, method="grid")
    results = run(begin(config), 7)
    results += run(begin(config, results), 100)
    assert [result.trial.number for result in results] == list(range(1, 19))
    assert len({tuple(one.values()) for one in values(results)}) == 18


def test_a_grid_fills_the_gaps_that_a_lost_record_left(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    config = sweep("a: {values: [x, y, z]}", method="grid")
    ended = [TrialResult(Trial(number, {"a": value}), "done", 1.0) for number, value in ((1, "x"), (3, "z"))]
    results = run(begin(config, ended), 100)
    assert [(result.trial.number, result.trial.values["a"]) for result in results] == [(2, "y")]


def test_a_grid_tries_a_value_that_is_listed_twice_once(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    assert values(run(begin(sweep("a: {values: [1, 2, 1]}", method="grid")), 9)) == [{"a": 1}, {"a": 2}]


def test_a_grid_of_constants_is_one_trial(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    assert values(run(begin(sweep("a: {value: 1}", method="grid")), 9)) == [{"a": 1}]


def test_a_wide_grid_is_not_written_out(sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path) -> None:
    run(begin(sweep("a: {min: 0, max: 1000000000}", method="grid")), 2)
    assert (tmp_path / "record" / "optuna_journal.log").stat().st_size < 10_000


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_seed_gives_the_same_trials_and_another_seed_others(
    sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path, method: str
) -> None:
    config = sweep(SPACE, method=method)
    found = []
    for seed in (1, 1, 2):
        found.append(values(run(begin(config, seed=seed), 14)))
        (tmp_path / "record" / "optuna_journal.log").unlink()
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert len({tuple(one.values()) for one in found[0]}) == 14


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_seeded_sweep_that_was_stopped_goes_on_as_it_would_have(
    sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path, method: str
) -> None:
    config = sweep(SPACE, method=method)
    undisturbed = values(run(begin(config, seed=5), 16))
    (tmp_path / "record" / "optuna_journal.log").unlink()
    results = run(begin(config, seed=5), 6)
    results += run(begin(config, results, seed=5), 6)
    results += run(begin(config, results, seed=5), 4)
    assert values(results) == undisturbed


def test_bayesian_search_comes_nearer_to_the_best_than_random_search(
    sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path
) -> None:
    space = "a: {min: 0.0, max: 1.0}\nb: {min: 0.0, max: 1.0}\nc: {min: 0.0, max: 1.0}"
    last = {}
    for method in ("random", "bayes"):
        results = run(begin(sweep(space, method=method), seed=0), 40)
        last[method] = sum(result.value or 0.0 for result in results[-15:]) / 15
        (tmp_path / "record" / "optuna_journal.log").unlink()
    assert last["bayes"] < last["random"] / 2


def test_where_the_goal_is_to_maximize_it_is_maximized(sweep: MakeSweep, begin: Begin) -> None:
    sweeper = begin(sweep("a: {min: 0.0, max: 1.0}", method="bayes", goal="maximize"), seed=0)
    found = []
    for _ in range(40):
        trial = sweeper.ask()
        found.append(trial.values["a"])
        sweeper.tell(TrialResult(trial, "done", trial.values["a"]))
    assert sum(found[-10:]) / 10 > 0.8


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_parallel_trials_are_different_and_may_end_in_any_order(
    sweep: MakeSweep, begin: Begin, loss: Callable[[Trial], float], method: str
) -> None:
    space = "a: {min: 1, max: 50}\nb: {values: [u, v, w]}"
    sweeper = begin(sweep(space, method=method), seed=3)
    running = [sweeper.ask() for _ in range(3)]
    ended: list[Trial] = []
    for turn in range(15):
        trial = running.pop(turn % len(running))
        sweeper.tell(TrialResult(trial, "done", loss(trial)))
        ended.append(trial)
        running.append(sweeper.ask())
    everything = [*ended, *running]
    assert sorted(trial.number for trial in everything) == list(range(1, 19))
    assert len({tuple(trial.values.items()) for trial in everything}) > 14


def test_the_record_says_how_each_trial_ended(sweep: MakeSweep, begin: Begin, tmp_path: Path) -> None:
    sweeper = begin(sweep(SPACE))
    asked = [sweeper.ask() for _ in range(6)]
    sweeper.tell(TrialResult(asked[0], "done", 1.5))
    sweeper.report(asked[1], 1, 9.0)
    sweeper.report(asked[1], 2, 8.0)
    sweeper.tell(TrialResult(asked[1], "stopped", 8.0))
    sweeper.tell(TrialResult(asked[2], "stopped", 7.0))
    sweeper.tell(TrialResult(asked[3], "failed", None))
    sweeper.tell(TrialResult(asked[4], "done", math.nan))
    sweeper.tell(TrialResult(asked[5], "done", math.inf))
    found = record(tmp_path)
    assert [trial.state.name for trial in found] == ["COMPLETE", "PRUNED", "PRUNED", "FAIL", "FAIL", "FAIL"]
    assert [trial.value for trial in found[:3]] == [1.5, 8.0, 7.0]
    assert found[1].intermediate_values == {1: 9.0, 2: 8.0}


def test_trials_that_never_ended_come_again_first_with_their_number_and_values(
    sweep: MakeSweep, begin: Begin, tmp_path: Path
) -> None:
    config = sweep(SPACE)
    sweeper = begin(config)
    asked = [sweeper.ask() for _ in range(4)]
    told = TrialResult(asked[1], "done", 0.5)
    sweeper.tell(told)
    # The third ended, too, but the process was killed before the backend was told.
    untold = TrialResult(asked[2], "done", 0.25)
    again = begin(config, [told, untold])
    assert [again.ask() for _ in range(2)] == [asked[0], asked[3]]
    fresh = again.ask()
    assert fresh.number == 5
    assert fresh.values not in [trial.values for trial in asked]
    by_number = {}
    for trial in record(tmp_path):
        by_number.setdefault(trial.user_attrs["djsandbox_trial"]["number"], []).append((trial.state.name, trial.value))
    assert by_number[2] == [("COMPLETE", 0.5)]
    assert by_number[3] == [("COMPLETE", 0.25)]
    assert by_number[1] == [("FAIL", None), ("RUNNING", None)]


def test_a_trial_that_is_interrupted_again_and_again_keeps_its_values(sweep: MakeSweep, begin: Begin) -> None:
    config = sweep(SPACE, method="bayes")
    first = begin(config).ask()
    for _ in range(3):
        assert begin(config).ask() == first


def test_a_trial_that_the_run_lost_the_result_of_is_asked_for_again(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    config = sweep(SPACE)
    results = run(begin(config), 3)
    assert begin(config, results[:2]).ask() == results[2].trial


def test_a_sweep_whose_record_is_lost_learns_from_the_results(sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path) -> None:
    config = sweep(f"{SPACE}\nd: {{distribution: normal}}\ne: {{value: 1}}", method="bayes")
    results = run(begin(config), 3)
    results.append(TrialResult(Trial(4, results[0].trial.values), "stopped", 4.0))
    results.append(TrialResult(Trial(5, results[1].trial.values), "failed", None))
    (tmp_path / "record" / "optuna_journal.log").unlink()
    sweeper = begin(config, results)
    found = record(tmp_path)
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE", "COMPLETE", "PRUNED", "FAIL"]
    assert [trial.value for trial in found[:4]] == [*(result.value for result in results[:3]), 4.0]
    for trial, result in zip(found, results, strict=True):
        assert trial.params["a"] == pytest.approx(result.trial.values["a"])
        assert set(trial.params) == {"a", "b", "c", "d"}
    assert sweeper.ask().number == 6


def test_results_of_another_search_space_are_refused(sweep: MakeSweep, begin: Begin) -> None:
    strange = TrialResult(Trial(1, {"a": "nonsense"}), "done", 1.0)
    with pytest.raises(SandboxError, match=r"trial 1 .* another search space") as caught:
        begin(sweep(SPACE), [strange])
    assert caught.value.problems[0].fix


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": SPACE.replace("max: 1.0", "max: 2.0")},
        {"parameters": f"{SPACE}\nd: {{value: 1}}"},
        {"parameters": SPACE, "goal": "maximize"},
        {"parameters": SPACE, "method": "bayes"},
    ],
)
def test_a_record_of_another_search_is_refused_with_what_to_do(
    sweep: MakeSweep, begin: Begin, run: Run, changed: dict[str, str]
) -> None:
    results = run(begin(sweep(SPACE)), 2)
    with pytest.raises(SandboxError, match="another search") as caught:
        begin(sweep(**changed), results)
    problem = caught.value.problems[0]
    assert problem.where is not None and problem.where.file.endswith("sweep.yaml")
    assert "--resume" in str(problem.fix)


def test_the_limit_may_be_raised_when_a_sweep_goes_on(sweep: MakeSweep, begin: Begin, run: Run) -> None:
    results = run(begin(sweep(SPACE, cap=2)), 2)
    assert begin(sweep(SPACE, cap=5), results).ask().number == 3


def test_two_sweeps_in_one_folder_do_not_mix(sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path) -> None:
    from djsandbox_optuna.sweeper import OptunaSweeper

    run(begin(sweep(SPACE)), 2)
    other = OptunaSweeper(OptunaSweeper.Config(), sweep("z: {min: 1, max: 2}"), tmp_path / "record")
    other.open("another", [])
    assert other.ask().number == 1


def test_half_a_line_at_the_end_of_the_record_is_dropped(sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path) -> None:
    config = sweep(SPACE)
    results = run(begin(config), 2)
    with (tmp_path / "record" / "optuna_journal.log").open("a") as file:
        file.write('{"op_code":4,"worker_id":"abc","stu')
    results += run(begin(config, results), 2)
    assert begin(config, results).ask().number == 5


def test_a_record_that_cannot_be_read_is_an_error_that_says_how_to_go_on(
    sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path
) -> None:
    config, path = sweep(SPACE), tmp_path / "record" / "optuna_journal.log"
    results = run(begin(config), 2)
    path.write_text("not a journal\n" + path.read_text())
    with pytest.raises(SandboxError, match="cannot use the record") as caught:
        begin(config, results)
    assert "remove that file" in str(caught.value.problems[0].fix)
    path.unlink()
    assert begin(config, results).ask().number == 3


def test_a_stale_lock_of_a_killed_process_holds_nobody_up(sweep: MakeSweep, begin: Begin, run: Run, tmp_path: Path) -> None:
    config = sweep(SPACE)
    results = run(begin(config), 1)
    path = tmp_path / "record" / "optuna_journal.log"
    path.with_name(path.name + ".lock").symlink_to(path)
    assert begin(config, results).ask().number == 2


def test_nothing_is_printed_and_nothing_warned_of(
    sweep: MakeSweep, begin: Begin, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(begin(sweep(SPACE, method="bayes"), seed=1, n_startup_trials=2), 5)
    assert capfd.readouterr() == ("", "")
