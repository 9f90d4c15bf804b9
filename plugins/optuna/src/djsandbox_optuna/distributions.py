"""Parameters of a sweep file as Optuna searches them, and what Optuna found as the value that a trial gets."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from djsandbox import Parameter, SweepConfig

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

EDGE = 1e-9
"""How near a share of a distribution comes to 0 and 1, where the normal ones are infinite: six standard deviations."""

_BY_SHARE = ("normal", "log_normal", "beta")


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of the search.

    Optuna searches a number: the value itself, its exponent, the index of a choice, or the share of the distribution that lies
    below the value (between 0 and 1), whichever makes equal steps equally likely.
    """

    parameter: Parameter
    distribution: BaseDistribution
    choices: Sequence[Any] | None = None

    def plain(self, found: float) -> Any:
        """The value that a trial gets for what Optuna found."""
        if self.choices is not None:
            return self.choices[int(found)]
        parameter = self.parameter
        if parameter.distribution == "categorical_w_probabilities":
            return parameter.arguments["values"][_chosen(parameter.arguments["probabilities"], found)]
        value = _drawn(parameter, float(found))
        if parameter.bounds is not None:  # the logarithm and back may end an ulp outside
            low, high = parameter.bounds
            value = min(max(value, low), high)
        return parameter.plain(value)

    def found(self, value: Any) -> int | float:
        """What Optuna could have found for a trial's `value`; ValueError where the value is not of this parameter."""
        parameter = self.parameter
        if self.choices is not None or parameter.distribution == "categorical_w_probabilities":
            choices = parameter.arguments["values"] if self.choices is None else self.choices
            index = _index(choices, value)
            return index if self.choices is not None else _middle(parameter.arguments["probabilities"], index)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{value!r} is not a number")
        low, high = parameter.bounds or (-math.inf, math.inf)
        if not (value >= low or math.isclose(value, low)) or not (value <= high or math.isclose(value, high)):
            raise ValueError(f"{value!r} is not between {low} and {high}")
        if parameter.distribution == "int_uniform":
            return int(value)
        ends: Any = self.distribution
        return float(min(max(_undrawn(parameter, float(value)), ends.low), ends.high))


def axes_of(sweep: SweepConfig) -> dict[str, Axis]:
    """The dimensions of a search, by parameter, without what is constant; imports optuna."""
    searched = [parameter for parameter in sweep.parameters if not parameter.is_constant]
    if sweep.method == "grid":
        return {parameter.name: _grid_axis(parameter) for parameter in searched}
    return {parameter.name: _axis(parameter) for parameter in searched}


def point_of_grid(axes: Mapping[str, Axis], index: int) -> dict[str, int]:
    """What Optuna is to find in the trial at `index` (from 0) of a grid; the first parameter changes slowest."""
    point = {}
    for name, axis in reversed(list(axes.items())):
        index, point[name] = divmod(index, len(axis.choices or ()))
    return dict(reversed(point.items()))


def _grid_axis(parameter: Parameter) -> Axis:
    from optuna.distributions import IntDistribution  # noqa: PLC0415

    choices = parameter.choices()
    return Axis(parameter, IntDistribution(0, len(choices) - 1), choices)


def _axis(parameter: Parameter) -> Axis:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: PLC0415

    arguments, law = parameter.arguments, parameter.distribution.removeprefix("q_")
    if law == "categorical":
        values = arguments["values"]
        return Axis(parameter, CategoricalDistribution(range(len(values))), values)
    if law == "categorical_w_probabilities":
        return Axis(parameter, FloatDistribution(0.0, 1.0))
    if law == "int_uniform":
        return Axis(parameter, IntDistribution(arguments["min"], arguments["max"]))
    if law in _BY_SHARE:
        return Axis(parameter, FloatDistribution(EDGE, 1.0 - EDGE))
    return Axis(parameter, FloatDistribution(arguments["min"], arguments["max"], log=law.endswith("_values")))


def _drawn(parameter: Parameter, found: float) -> float:
    """The value of a distribution before quantising."""
    law, arguments = parameter.distribution.removeprefix("q_"), parameter.arguments
    if law == "log_uniform":
        return math.exp(found)
    if law == "inv_log_uniform":
        return math.exp(-found)
    if law not in _BY_SHARE:
        return found
    from scipy.special import betaincinv, ndtri  # noqa: PLC0415

    if law == "beta":
        return float(betaincinv(arguments["a"], arguments["b"], found))
    value = arguments["mu"] + arguments["sigma"] * float(ndtri(found))
    return math.exp(value) if law == "log_normal" else value


def _undrawn(parameter: Parameter, value: float) -> float:
    """The inverse of `_drawn`."""
    law, arguments = parameter.distribution.removeprefix("q_"), parameter.arguments
    if law in ("log_uniform", "inv_log_uniform"):
        return math.log(value) if law == "log_uniform" else -math.log(value)
    if law not in _BY_SHARE:
        return value
    from scipy.special import betainc, ndtr  # noqa: PLC0415

    if law == "beta":
        return float(betainc(arguments["a"], arguments["b"], value))
    if law == "log_normal":
        if value <= 0:  # a quantised value
            return 0.0
        value = math.log(value)
    return float(ndtr((value - arguments["mu"]) / arguments["sigma"]))


def _chosen(probabilities: Sequence[float], share: float) -> int:
    """The index of the bin in which `share` lies, among bins as wide as the probabilities; never one of no width."""
    last = max(index for index, probability in enumerate(probabilities) if probability > 0)
    return min(bisect_right(list(accumulate(probabilities)), share), last)


def _middle(probabilities: Sequence[float], index: int) -> float:
    return min(sum(probabilities[:index]) + probabilities[index] / 2, 1.0)


def _index(choices: Sequence[Any], value: Any) -> int:
    if isinstance(choices, range):
        return choices.index(value)
    text = json.dumps(value, sort_keys=True)
    for index, choice in enumerate(choices):
        if json.dumps(choice, sort_keys=True) == text:
            return index
    raise ValueError(f"{value!r} is none of the values")
