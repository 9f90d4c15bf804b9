"""The parameters of a sweep file: what they are understood as, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from djsandbox.config.distributions import DISTRIBUTIONS
from djsandbox.config.document import parse_document
from djsandbox.config.sweep import Parameter
from djsandbox.config.sweep_parameters import read_parameters
from djsandbox.errors import Problem

Read = Callable[..., tuple[tuple[Parameter, ...], list[Problem]]]


@pytest.fixture
def read() -> Read:
    def from_text(text: str, method: str = "random") -> tuple[tuple[Parameter, ...], list[Problem]]:
        problems: list[Problem] = []
        return read_parameters(parse_document(f"parameters:\n{text}\n", "sweep.yaml"), method, problems), problems

    return from_text


@pytest.fixture
def one(read: Read) -> Callable[..., Parameter]:
    def from_text(text: str, method: str = "random") -> Parameter:
        (parameter,), problems = read(f"  x: {text}", method)
        assert problems == []
        return parameter

    return from_text


@pytest.mark.parametrize(
    ("text", "distribution", "arguments"),
    [
        ("{value: 3}", "constant", {"value": 3}),
        ("{value: null}", "constant", {"value": None}),
        ("{values: [1, a]}", "categorical", {"values": [1, "a"]}),
        (
            "{values: [1, 2], probabilities: [0.25, 0.75]}",
            "categorical_w_probabilities",
            {"values": [1, 2], "probabilities": [0.25, 0.75]},
        ),
        ("{min: 1, max: 5}", "int_uniform", {"min": 1, "max": 5}),
        ("{min: 1, max: 5.0}", "uniform", {"min": 1.0, "max": 5.0}),
        ("{min: 1e-4, max: 1}", "uniform", {"min": 1e-4, "max": 1.0}),
        ("{distribution: uniform, min: 1, max: 5}", "uniform", {"min": 1.0, "max": 5.0}),
    ],
)
def test_a_distribution_that_is_left_out_is_understood(
    one: Callable[[str], Parameter], text: str, distribution: str, arguments: Mapping[str, Any]
) -> None:
    parameter = one(text)
    assert (parameter.distribution, parameter.arguments) == (distribution, arguments)
    assert [type(value) for value in parameter.arguments.values()] == [type(value) for value in arguments.values()]
    assert parameter.is_constant is (distribution == "constant")


@pytest.mark.parametrize(
    ("distribution", "arguments"),
    [
        ("normal", {"mu": 0.0, "sigma": 1.0}),
        ("q_normal", {"mu": 0.0, "sigma": 1.0, "q": 1}),
        ("log_normal", {"mu": 0.0, "sigma": 1.0}),
        ("q_log_normal", {"mu": 0.0, "sigma": 1.0, "q": 1}),
        ("beta", {"a": 1.0, "b": 1.0}),
        ("q_beta", {"a": 1.0, "b": 1.0, "q": 1}),
    ],
)
def test_arguments_that_are_left_out_have_the_defaults_of_wandb(
    one: Callable[[str], Parameter], distribution: str, arguments: Mapping[str, Any]
) -> None:
    assert one(f"{{distribution: {distribution}}}").arguments == arguments


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_of_wandb_can_be_named(one: Callable[[str], Parameter], distribution: str) -> None:
    values = {"value": "1", "values": "[1, 2]", "probabilities": "[0.5, 0.5]", "min": "1", "max": "4", "q": "0.5"}
    arguments = ", ".join(f"{key}: {values.get(key, '2')}" for key in DISTRIBUTIONS[distribution].arguments)
    assert one(f"{{distribution: {distribution}, {arguments}}}").distribution == distribution


def test_nested_parameters_get_dotted_names_and_keys_with_dots_stay(read: Read) -> None:
    found, problems = read(
        "  train:\n    parameters:\n      extra_configs:\n        parameters:\n          lr: {min: 0.1, max: 1.0}\n"
        "  text_length_filter.min_len: {min: 1, max: 9}\n"
    )
    assert problems == []
    assert [(one.name, one.where.line) for one in found] == [
        ("train.extra_configs.lr", 6),
        ("text_length_filter.min_len", 7),
    ]


def test_a_nested_name_that_is_also_a_key_with_dots_is_refused(read: Read) -> None:
    found, (problem,) = read("  a: {parameters: {b: {value: 1}}}\n  a.b: {value: 2}\n")
    assert len(found) == 1
    assert "twice" in problem.message and problem.where is not None and problem.where.line == 3


@pytest.mark.parametrize(
    ("text", "words", "fix"),
    [
        ("3", "must be a mapping", "value"),
        ("[1, 2]", "must be a mapping", "values"),
        ("{}", "no distribution", "min and max"),
        ("{mu: 1}", "no distribution", "distribution"),
        ("{mim: 1}", "unknown key 'mim'", "did you mean 'min'?"),
        ("{distribution: log_unifrm, min: 1, max: 2}", "unknown distribution", "did you mean 'log_uniform'?"),
        ("{distribution: [uniform]}", "unknown distribution", "uniform"),
        ("{min: 1}", "needs 'max'", "add"),
        ("{min: 1, max: 9, q: 2}", "takes no 'q'", "q_uniform"),
        ("{distribution: normal, q: 2}", "takes no 'q'", "q_normal"),
        ("{min: 1, max: 9, mx: 2}", "takes no 'mx'", "did you mean 'max'?"),
        ("{distribution: categorical, values: [1], probabilities: [1]}", "takes no 'probabilities'", "w_probabilities"),
        ("{min: 3, max: 3}", "min 3 is not below max 3", "value"),
        ("{min: 3, max: 1}", "not below", "value"),
        ("{min: true, max: 3}", "'min' must be a number, not True", None),
        ("{min: '1', max: 3}", "'min' must be a number, not '1'", None),
        ("{min: .nan, max: 3}", "'min' must be a number", None),
        ("{min: 0.0, max: .inf}", "'max' must be a number", None),
        (f"{{min: 0.0, max: 1{'0' * 400}}}", "'max' must be a number", None),
        ("{distribution: q_uniform, min: 0, max: 1e300, q: 1e-300}", "too small a step", "larger"),
        ("{distribution: int_uniform, min: 1.5, max: 3}", "'min' must be a whole number", None),
        ("{distribution: log_uniform_values, min: 0, max: 1}", "no logarithm", "above 0"),
        ("{distribution: q_log_uniform_values, min: -1, max: 1}", "no logarithm", "above 0"),
        ("{distribution: log_uniform, min: 256, max: 8192}", "exponents", "log_uniform_values"),
        ("{distribution: inv_log_uniform, min: -8192, max: 1}", "exponents", "inv_log_uniform_values"),
        ("{distribution: q_uniform, min: 0, max: 1, q: 0}", "'q' must be above 0", None),
        ("{distribution: q_uniform, min: 1, max: 2, q: 5}", "no multiple of 5", "smaller"),
        ("{distribution: normal, sigma: 0}", "'sigma' must be above 0", None),
        ("{distribution: beta, a: -1}", "'a' must be above 0", None),
        ("{distribution: log_normal, mu: 900}", "no number", "logarithm"),
        ("{values: []}", "'values' must be a list", None),
        ("{values: 3}", "'values' must be a list", None),
        ("{values: [2026-11-22]}", "cannot be recorded", "quotes"),
        ("{value: {1: a}}", "cannot be recorded", "quotes"),
        ("{values: [1, 2], probabilities: [1]}", "2 values and 1 probabilities", None),
        ("{values: [1, 2], probabilities: [0.5, 0.6]}", "1.1 together", None),
        ("{values: [1, 2], probabilities: [1.5, -0.5]}", "0 or above", None),
        ("{values: [1, 2], probabilities: [true, 0]}", "must be numbers", None),
        ("{parameters: {}}", "cannot be read", None),
        ("{parameters: {a: {value: 1}}, value: 2}", "cannot be read", "alone"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(read: Read, text: str, words: str, fix: str | None) -> None:
    found, (problem,) = read(f"  fine: {{value: 1}}\n  x: {text}")
    assert [parameter.name for parameter in found] == ["fine"]
    assert words in problem.message and "'x'" in problem.message
    assert fix is None or fix in str(problem.fix)
    assert problem.where is not None and problem.where.line == 3


def test_probabilities_may_miss_one_by_their_rounding(one: Callable[[str], Parameter]) -> None:
    assert one("{values: [1, 2, 3], probabilities: [0.333333, 0.333333, 0.333334]}").arguments["values"] == [1, 2, 3]


@pytest.mark.parametrize(
    "text", ["{min: 0.0, max: 1.0}", "{distribution: normal}", "{values: [1, 2], probabilities: [0.5, 0.5]}"]
)
def test_a_grid_refuses_what_it_cannot_go_through(read: Read, text: str) -> None:
    found, (problem,) = read(f"  x: {text}", "grid")
    assert found == ()
    assert "grid" in problem.message and "method: random" in str(problem.fix)


def test_a_grid_refuses_more_steps_than_anyone_can_mean(read: Read) -> None:
    _, (problem,) = read("  x: {distribution: q_uniform, min: 0, max: 1, q: 0.0000001}", "grid")
    assert "10,000,001" in problem.message
    _, (problem,) = read(f"  x: {{min: 0, max: 1{'0' * 30}}}", "grid")
    assert "a grid of" in problem.message


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("{value: [1]}", [[1]]),
        ("{values: [b, a, b, 1, true, 1.0]}", ["b", "a", 1, True, 1.0]),
        ("{min: -1, max: 2}", [-1, 0, 1, 2]),
        ("{distribution: q_uniform, min: 0, max: 0.3, q: 0.1}", [0.0, 0.1, 0.2, 0.3]),
        ("{distribution: q_uniform, min: 1, max: 10, q: 4}", [4, 8]),
    ],
)
def test_a_grid_goes_through_every_value_once(one: Callable[..., Parameter], text: str, choices: list[Any]) -> None:
    found = list(one(text, "grid").choices())
    assert found == choices
    assert [type(value) for value in found] == [type(value) for value in choices]


EXAMPLES: Mapping[str, tuple[Any, ...]] = {
    "{value: 7}": (7,),
    "{values: [a, [b]]}": ("a", ["b"]),
    "{values: [1, 2], probabilities: [0, 1]}": (1, 2),
    "{min: 1, max: 5}": (1, 5),
    "{min: 1.0, max: 5.0}": (1.0, 2.527864, 5.0),
    "{distribution: log_uniform, min: 0, max: 1}": (1.0, math.e),
    "{distribution: inv_log_uniform, min: 0, max: 1}": (1 / math.e, 1.0),
    "{distribution: log_uniform_values, min: 2, max: 8}": (2.0, 8.0),
    "{distribution: inv_log_uniform_values, min: 2, max: 8}": (2.0, 8.0),
    "{distribution: q_log_uniform_values, min: 256, max: 8192}": (256, 8192),
    "{distribution: q_log_uniform, min: 0, max: 2}": (1, 7),
    "{distribution: q_uniform, min: 1, max: 10, q: 4}": (4, 8),
    "{distribution: normal, mu: 1, sigma: 2}": (-5.0, 1.0, 7.0),
    "{distribution: q_normal, sigma: 2, q: 4}": (-8, 0, 8),
    "{distribution: log_normal}": (math.exp(-3), 1.0, math.exp(3)),
    "{distribution: beta, a: 2}": (0.0, 1.0),
    "{distribution: q_beta}": (0, 1),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_every_choice_or_the_ends_as_a_trial_gets_them(one: Callable[[str], Parameter], text: str) -> None:
    found, expected = one(text).examples(), EXAMPLES[text]
    assert found == (pytest.approx(expected) if isinstance(expected[0], float) else expected)
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_steps_of_a_tenth_are_exact_decimals(one: Callable[[str], Parameter]) -> None:
    parameter = one("{distribution: q_uniform, min: 0, max: 1, q: 0.1}")
    assert [parameter.plain(count / 10 + 0.01) for count in range(10)] == [count / 10 for count in range(10)]


def test_the_distributions_are_those_of_wandb() -> None:
    # The `enum` values of "distribution" in src/sweeps/config/schema.json of https://github.com/wandb/sweeps, August 2026.
    schema = """
        beta categorical categorical_w_probabilities constant int_uniform inv_log_uniform inv_log_uniform_values log_normal
        log_uniform log_uniform_values normal q_beta q_log_normal q_log_uniform q_log_uniform_values q_normal q_uniform uniform
    """
    assert sorted(DISTRIBUTIONS) == schema.split()


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("{value: 3}", [3, 3.0], [4, "3", True]),
        ("{values: [1, abc, [2, 3], null]}", [1, "abc", [2, 3], None], [2, "ABC", [3, 2], 0, False]),
        ("{distribution: int_uniform, min: 1, max: 5}", [1, 5, 3.0], [0, 6, 2.5, "3", True, math.nan]),
        ("{distribution: uniform, min: 0.0, max: 1.0}", [0, 0.5, 1.0, 1 + 1e-12], [-0.1, 1.1, math.inf, None]),
        ("{distribution: log_uniform_values, min: 0.001, max: 0.1}", [0.001, 0.1], [0.0009, 0.11]),
        ("{distribution: normal}", [-1e9, 5], [math.inf, "5"]),
    ],
)
def test_a_value_is_admitted_where_the_distribution_can_give_it(
    one: Callable[[str], Parameter], text: str, inside: list[Any], outside: list[Any]
) -> None:
    parameter = one(text)
    assert all(map(parameter.admits, [*inside, *parameter.examples()])) and not any(map(parameter.admits, outside))
