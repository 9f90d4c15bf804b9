"""Sweep files as W&B and Data-Juicer write them, and everything that can be wrong in one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.config.sweep import SweepConfig
from djsandbox.config.sweep_file import IGNORED_KEYS, read_sweep
from djsandbox.errors import Problem

Read = Callable[[str], tuple[SweepConfig | None, list[Problem]]]
HEAD = "method: bayes\nmetric: {name: p.job.loss}\nrun_cap: 5\n"
SPACE = "parameters: {lr: {min: 0.0, max: 1.0}}\n"

# After the file that comes with Data-Juicer's own tool for W&B sweeps.
DATA_JUICER = """
sweep_name: hpo_for_data-juicer
sweep_max_count: 1000
method: bayes
metric:
  name: quality_score
  goal: maximize
parameters:
  character_repetition_filter.rep_len:
      values: [2, 4, 8, 16]
  character_repetition_filter.max_ratio:
    values: [0.3, 0.5, 0.7]
  text_length_filter.min_len:
      distribution: q_log_uniform_values
      min: 256
      max: 8192
early_terminate:
  type: hyperband
  max_iter: 27
  s: 2
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str) -> tuple[SweepConfig | None, list[Problem]]:
        file = tmp_path / "sweep.yaml"
        file.write_text(textwrap.dedent(text))
        problems: list[Problem] = []
        return read_sweep(file, problems), problems

    return from_text


@pytest.fixture
def good(read: Read) -> Callable[[str], SweepConfig]:
    def from_text(text: str) -> SweepConfig:
        sweep, problems = read(text)
        assert sweep is not None, problems
        assert not [problem for problem in problems if problem.severity == "error"]
        return sweep

    return from_text


@pytest.fixture
def errors(read: Read) -> Callable[[str], list[Problem]]:
    """The errors of a file that must have some."""

    def from_text(text: str) -> list[Problem]:
        sweep, problems = read(text)
        assert sweep is None
        found = [problem for problem in problems if problem.severity == "error"]
        assert found
        assert all(problem.where and problem.where.line for problem in found)
        return found

    return from_text


def test_the_sweep_file_of_data_juicer_reads_as_it_is(read: Read) -> None:
    sweep, problems = read(DATA_JUICER)
    assert sweep is not None
    assert [(problem.severity, problem.message.split()[0]) for problem in problems] == [("warning", "sweep_name")]
    assert (sweep.method, sweep.max_trials, sweep.parallel, sweep.sweeper) == ("bayes", 1000, 1, None)
    assert (sweep.metric.name, sweep.metric.goal, sweep.metric.target) == ("quality_score", "maximize", None)
    assert {one.name: one.distribution for one in sweep.parameters} == {
        "character_repetition_filter.rep_len": "categorical",
        "character_repetition_filter.max_ratio": "categorical",
        "text_length_filter.min_len": "q_log_uniform_values",
    }
    assert sweep.parameters[2].arguments == {"min": 256.0, "max": 8192.0, "q": 1}
    assert sweep.early_terminate is not None
    assert sweep.early_terminate.bands == (3, 9)
    assert (sweep.parameters[0].where.line, sweep.at("metric").line) == (9, 5)


def test_the_goal_is_to_minimize_unless_it_is_said(good: Callable[[str], SweepConfig]) -> None:
    assert good(HEAD + SPACE).metric.goal == "minimize"


def test_everything_that_is_wrong_is_reported_at_once_each_in_its_line(read: Read) -> None:
    _, problems = read(
        """\
        method: byes
        metric: {name: a, gaol: minimize}
        run_cap: 0
        early_terminate: {type: hyperbnd, min_iter: 1}
        paramters: {}
        parameters:
          a: {distribution: unifrom, min: 0, max: 1}
          b: {min: 2, max: 1}
        sweeper: {parallel: 0}
        """
    )
    found = {problem.where.line: problem for problem in problems if problem.where}
    assert sorted(found) == [1, 2, 3, 4, 5, 7, 8, 9]
    assert all(problem.severity == "error" for problem in problems)
    for line, right in {1: "bayes", 2: "goal", 5: "parameters", 7: "uniform"}.items():
        assert found[line].fix == f"did you mean '{right}'?"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metric: {name: a}\nrun_cap: 1\n" + SPACE, "'method' is missing"),
        ("method: custom\nmetric: {name: a}\nrun_cap: 1\n" + SPACE, "method: custom"),
        ("method: random\nrun_cap: 1\n" + SPACE, "'metric' is missing"),
        ("method: random\nmetric: {goal: minimize}\nrun_cap: 1\n" + SPACE, "'metric.name' is missing"),
        (HEAD.replace("p.job.loss", "p.job.loss, goal: best") + SPACE, "'metric.goal'"),
        (HEAD.replace("p.job.loss", "p.job.loss, target: low") + SPACE, "'metric.target' must be a number"),
        (HEAD + "metrics: [{name: a}, {name: b}]\n" + SPACE, "one metric"),
        (HEAD, "no 'parameters'"),
        (HEAD + "parameters: {}\n", "no 'parameters'"),
        (HEAD + "parameters: [a]\n", "must be a mapping"),
        (HEAD + SPACE + "sweeper: 3\n", "'sweeper' must be"),
        (HEAD + SPACE + "sweeper: {type: optuna, parallel: yes}\n", "'sweeper.parallel' must be a whole number"),
        (HEAD + SPACE + "sweep_max_count: 6\n", "two limits"),
        (HEAD.replace("5", "true") + SPACE, "'run_cap' must be a whole number"),
        (HEAD.replace("5", "-1") + SPACE, "'run_cap' must be a whole number"),
        (HEAD + SPACE + "early_terminate: {type: hyperband}\n", "needs 'min_iter'"),
        (HEAD + SPACE + "early_terminate: {type: hyperband, max_iter: 9}\n", "needs 's'"),
        (HEAD + SPACE + "early_terminate: {type: hyperband, max_iter: 2, s: 2}\n", "nothing to stop at"),
        (HEAD + SPACE + "early_terminate: {type: envelope, min_iter: 2}\n", "'early_terminate.type'"),
        (HEAD + SPACE + "early_terminate: {type: hyperband, min_iter: 2, eta: 1}\n", "'early_terminate.eta'"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(errors: Callable[[str], list[Problem]], text: str, words: str) -> None:
    (problem,) = errors(text)
    assert words in problem.message


def test_a_file_that_is_no_mapping_is_one_problem(read: Read) -> None:
    for text in ("- a\n", "a: [\n"):
        sweep, problems = read(text)
        assert sweep is None
        assert len(problems) == 1


@pytest.mark.parametrize("text", ["run_cap: None", "run_cap: null", "sweep_max_count: None", "program: x.py"])
def test_without_a_limit_a_warning_says_that_the_sweep_goes_on(read: Read, text: str) -> None:
    sweep, problems = read(HEAD.replace("run_cap: 5", text) + SPACE)
    assert sweep is not None and sweep.max_trials is None
    assert [problem.severity for problem in problems if "Ctrl-C" in problem.message] == ["warning"]


def test_a_grid_needs_no_limit(read: Read) -> None:
    sweep, problems = read("method: grid\nmetric: {name: a}\nparameters: {a: {values: [1, 2]}, b: {min: 1, max: 3}}\n")
    assert sweep is not None and sweep.max_trials is None and problems == []
    assert sweep.grid_size == 6


def test_the_same_limit_may_be_given_by_both_names(good: Callable[[str], SweepConfig]) -> None:
    assert good(HEAD + SPACE + "sweep_max_count: 5\n").max_trials == 5


@pytest.mark.parametrize("key", IGNORED_KEYS)
def test_what_only_wandb_uses_is_left_out_with_a_warning(read: Read, key: str) -> None:
    sweep, problems = read(HEAD + SPACE + f"{key}: x\n")
    assert sweep is not None
    assert [(problem.severity, problem.where.line if problem.where else 0) for problem in problems] == [("warning", 5)]
    assert problems[0].message.startswith(key)


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("max_iter: 27, s: 3", (1, 3, 9)),
        ("max_iter: 27, s: 9", (1, 3, 9)),
        ("max_iter: 10, s: 2, eta: 2", (2, 5)),
        ("max_iter: 10, s: 1", (3,)),
        ("min_iter: 3, eta: 100000", (3, 300000)),
    ],
)
def test_hyperband_is_one_bracket_of_bands(good: Callable[[str], SweepConfig], text: str, bands: tuple[int, ...]) -> None:
    early = good(HEAD + SPACE + f"early_terminate: {{type: hyperband, {text}}}\n").early_terminate
    assert early is not None
    assert early.bands == bands
    assert early.strict is True


def test_bands_from_below_grow_by_eta_and_each_stands_once(good: Callable[[str], SweepConfig]) -> None:
    early = good(HEAD + SPACE + "early_terminate: {type: hyperband, min_iter: 2, eta: 1.5, strict: false}\n").early_terminate
    assert early is not None
    assert early.bands[:5] == (2, 3, 4, 6, 10)
    assert list(early.bands) == sorted(set(early.bands))
    assert (early.eta, early.strict) == (1.5, False)


def test_of_two_ways_to_give_the_bands_the_second_is_left_out_with_a_warning(read: Read) -> None:
    sweep, problems = read(HEAD + SPACE + "early_terminate: {type: hyperband, max_iter: 27, s: 2, min_iter: 2}\n")
    assert sweep is not None and sweep.early_terminate is not None
    assert sweep.early_terminate.bands == (3, 9)
    assert ["min_iter" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize("text", ["", "sweeper: optuna\n", "sweeper: {type: optuna}\n", "sweeper: {parallel: 2, seed: 3}\n"])
def test_the_backend_is_named_or_left_to_the_default(good: Callable[[str], SweepConfig], text: str) -> None:
    sweep = good(HEAD + SPACE + text)
    assert sweep.sweeper == ("optuna" if "optuna" in text else None)
    assert sweep.parallel == (2 if "parallel" in text else 1)
    assert (sweep.options.data if sweep.options else {}) == ({"seed": 3} if "seed" in text else {})


def test_options_of_the_backend_keep_their_places(good: Callable[[str], SweepConfig]) -> None:
    options = good(HEAD + SPACE + "sweeper:\n  type: optuna\n  parallel: 2\n  seed: 3\n").options
    assert options is not None
    assert options.at(("seed",)).line == 8


def digest_of(good: Callable[[str], SweepConfig], text: str) -> str:
    return good(text).digest()


@pytest.mark.parametrize(
    "change",
    [
        ("run_cap: 5", "run_cap: 6"),
        ("p.job.loss", "p.job.loss, target: 0.1"),
        ("min: 0.0", "distribution: uniform, min: 0"),
        ("method", "early_terminate: {type: hyperband, min_iter: 1}\nmethod"),
        ("method", "sweeper: {parallel: 3}\nmethod"),
    ],
)
def test_what_may_change_when_a_sweep_goes_on_is_outside_the_digest(
    good: Callable[[str], SweepConfig], change: tuple[str, str]
) -> None:
    text = HEAD + SPACE
    assert change[0] in text
    assert digest_of(good, text.replace(*change, 1)) == digest_of(good, text)


@pytest.mark.parametrize(
    "change",
    [
        ("bayes", "random"),
        ("p.job.loss", "p.job.accuracy"),
        ("p.job.loss", "p.job.loss, goal: maximize"),
        ("max: 1.0", "max: 1.5"),
        ("lr", "rate"),
        ("max: 1.0}", "max: 1.0}, b: {value: 1}"),
        ("{min: 0.0, max: 1.0}", "{min: 0, max: 1}"),
    ],
)
def test_what_is_searched_is_in_the_digest(good: Callable[[str], SweepConfig], change: tuple[str, str]) -> None:
    text = HEAD + SPACE
    assert change[0] in text
    assert digest_of(good, text.replace(*change, 1)) != digest_of(good, text)


def test_the_order_of_parameters_counts_for_a_grid_only(good: Callable[[str], SweepConfig]) -> None:
    one: Any = "parameters: {a: {values: [1]}, b: {values: [2]}}\n"
    other: Any = "parameters: {b: {values: [2]}, a: {values: [1]}}\n"
    assert digest_of(good, HEAD + one) == digest_of(good, HEAD + other)
    grid = HEAD.replace("bayes", "grid")
    assert digest_of(good, grid + one) != digest_of(good, grid + other)
