from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from djsandbox import Parameter, SweepConfig
from djsandbox_optuna.distributions import Axis, axes_of
from scipy import stats

MakeParameter = Callable[[str], Parameter]
SHARES = [(place + 0.5) / 400 for place in range(400)]


@pytest.fixture
def axis(sweep: Callable[..., SweepConfig]) -> Callable[[str], Axis]:
    def make(text: str) -> Axis:
        return axes_of(sweep(f"x: {text}"))["x"]

    return make


def spread(axis: Axis) -> list[Any]:
    """The values at evenly spaced places of what Optuna draws from, as a sampler with no preference sees it."""
    ends: Any = axis.distribution
    low, high = ends.low, ends.high
    if ends.log:
        return [axis.plain(math.exp(math.log(low) + share * (math.log(high) - math.log(low)))) for share in SHARES]
    return [axis.plain(low + share * (high - low)) for share in SHARES]


CONTINUOUS = {
    "{min: 2.0, max: 6}": stats.uniform(2, 4),
    "{distribution: uniform, min: -3, max: 1}": stats.uniform(-3, 4),
    "{distribution: log_uniform, min: -2, max: 3}": stats.loguniform(math.exp(-2), math.exp(3)),
    "{distribution: log_uniform_values, min: 0.001, max: 10}": stats.loguniform(0.001, 10),
    "{distribution: inv_log_uniform, min: -2, max: 3}": stats.loguniform(math.exp(-3), math.exp(2)),
    "{distribution: inv_log_uniform_values, min: 0.001, max: 10}": stats.loguniform(0.001, 10),
    "{distribution: normal}": stats.norm(0, 1),
    "{distribution: normal, mu: 5, sigma: 2}": stats.norm(5, 2),
    "{distribution: log_normal, mu: 1, sigma: 0.5}": stats.lognorm(0.5, scale=math.e),
    "{distribution: beta, a: 2, b: 5}": stats.beta(2, 5),
}


@pytest.mark.parametrize("text", CONTINUOUS)
def test_a_continuous_parameter_follows_its_law(axis: Callable[[str], Axis], text: str) -> None:
    values, law = sorted(spread(axis(text))), CONTINUOUS[text]
    assert all(isinstance(value, float) for value in values)
    assert values == pytest.approx([float(law.ppf(share)) for share in SHARES], rel=1e-6, abs=1e-6)


QUANTISED = {
    "{distribution: q_uniform, min: 0, max: 10, q: 2}": (stats.uniform(0, 10), 2),
    "{distribution: q_uniform, min: 0, max: 1, q: 0.1}": (stats.uniform(0, 1), 0.1),
    "{distribution: q_log_uniform, min: 0, max: 4}": (stats.loguniform(1, math.exp(4)), 1),
    "{distribution: q_log_uniform_values, min: 256, max: 8192, q: 256}": (stats.loguniform(256, 8192), 256),
    "{distribution: q_normal, mu: 5, sigma: 3, q: 0.5}": (stats.norm(5, 3), 0.5),
    "{distribution: q_log_normal, mu: 2, sigma: 1}": (stats.lognorm(1, scale=math.exp(2)), 1),
    "{distribution: q_beta, a: 2, b: 2, q: 0.25}": (stats.beta(2, 2), 0.25),
}


@pytest.mark.parametrize("text", QUANTISED)
def test_a_quantised_parameter_is_its_law_rounded_to_the_step(axis: Callable[[str], Axis], text: str) -> None:
    values, (law, step) = sorted(spread(axis(text))), QUANTISED[text]
    assert all(abs(value / step - round(value / step)) < 1e-9 for value in values)
    assert all(type(value) is type(step) for value in values)
    for value, share in zip(values, SHARES, strict=True):
        assert abs(value - float(law.ppf(share))) <= step / 2 + 1e-9


def test_steps_of_a_tenth_are_written_with_one_digit(axis: Callable[[str], Axis]) -> None:
    values = set(spread(axis("{distribution: q_uniform, min: 0, max: 1, q: 0.1}")))
    assert values == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}


def test_quantised_values_stay_within_the_bounds_that_the_step_does_not_divide(axis: Callable[[str], Axis]) -> None:
    assert set(spread(axis("{distribution: q_uniform, min: 1, max: 10, q: 4}"))) == {4, 8}


def test_whole_numbers_are_ints_within_their_bounds(axis: Callable[[str], Axis]) -> None:
    found = axis("{min: -2, max: 2}")
    values = [found.plain(number) for number in range(-2, 3)]
    assert values == [-2, -1, 0, 1, 2]
    assert all(type(value) is int for value in values)
    ends: Any = found.distribution
    assert (ends.low, ends.high) == (-2, 2)


def test_choices_keep_their_types_and_structure(axis: Callable[[str], Axis]) -> None:
    found = axis("{values: [1, 1.5, true, null, two, [3, 4], {five: 6}]}")
    ends: Any = found.distribution
    values = [found.plain(index) for index in ends.choices]
    assert values == [1, 1.5, True, None, "two", [3, 4], {"five": 6}]
    assert values[2] is True


def test_choices_with_probabilities_come_as_often_as_these_say(axis: Callable[[str], Axis]) -> None:
    found = axis("{values: [a, b, c, d], probabilities: [0.5, 0, 0.25, 0.25]}")
    assert Counter(spread(found)) == {"a": 200, "c": 100, "d": 100}
    assert [found.plain(share) for share in (0.0, 0.5, 0.75, 1.0)] == ["a", "c", "d", "d"]


def test_a_choice_of_no_probability_at_the_end_is_never_chosen(axis: Callable[[str], Axis]) -> None:
    assert axis("{values: [a, b], probabilities: [1, 0]}").plain(1.0) == "a"


@pytest.mark.parametrize("text", [*CONTINUOUS, *QUANTISED])
def test_even_the_ends_of_a_distribution_are_finite_and_within_its_bounds(axis: Callable[[str], Axis], text: str) -> None:
    found = axis(text)
    ends: Any = found.distribution
    low, high = found.parameter.bounds or (-math.inf, math.inf)
    for end in (ends.low, ends.high):
        value = found.plain(end)
        assert math.isfinite(value)
        assert low <= value <= high


@pytest.mark.parametrize(
    "text", [*CONTINUOUS, *QUANTISED, "{min: -2, max: 2}", "{values: [a, 1, true], probabilities: [0.2, 0.3, 0.5]}"]
)
def test_a_recorded_value_is_found_again(axis: Callable[[str], Axis], text: str) -> None:
    found = axis(text)
    values = [found.plain(number) for number in range(-2, 3)] if text.startswith("{min: -2") else spread(found)
    again = [found.plain(found.found(value)) for value in values]
    if isinstance(values[0], str):
        assert again == values
    else:
        assert again == pytest.approx(values, rel=1e-6, abs=1e-6)
        assert [type(value) for value in again] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "value"),
    [("{values: [a, b]}", "c"), ("{values: [1, 2]}", True), ("{min: 0.0, max: 1.0}", 2.0), ("{min: 0.0, max: 1.0}", "low")],
)
def test_a_value_of_another_search_space_is_not_found(axis: Callable[[str], Axis], text: str, value: Any) -> None:
    with pytest.raises(ValueError):
        axis(text).found(value)


def test_constants_are_not_searched(sweep: Callable[..., SweepConfig]) -> None:
    assert list(axes_of(sweep("a: {value: 3}\nb: {min: 1, max: 2}"))) == ["b"]
