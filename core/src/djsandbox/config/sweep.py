"""A hyper-parameter sweep as the engine sees it: frozen, complete, with the place of everything."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from djsandbox.config.document import Document
from djsandbox.config.numbers import is_number
from djsandbox.config.quantized import multiples, quantized
from djsandbox.config.references import BLOCKS
from djsandbox.errors import Position

Method = Literal["grid", "random", "bayes"]
Goal = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the search space, by W&B's names.

    `name` is its address, dotted; `distribution` is always filled in, also where the file leaves it to be understood
    (`constant`, `categorical`, `categorical_w_probabilities`, `int_uniform`, `uniform`, ...). `arguments` are those of the
    distribution, as numbers or values (`value`, `values`, `probabilities`, `min`, `max`, `mu`, `sigma`, `a`, `b`, `q`).
    """

    name: str
    distribution: str
    arguments: Mapping[str, Any]
    where: Position

    @property
    def is_constant(self) -> bool:
        """True where there is nothing to choose."""
        return self.distribution == "constant"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest value before quantising; None for choices and where the distribution has no bounds."""
        arguments, law = self.arguments, self.distribution.removeprefix("q_")
        if law == "beta":
            return 0.0, 1.0
        if "min" not in arguments:
            return None
        low, high = arguments["min"], arguments["max"]
        if law == "log_uniform":
            return math.exp(low), math.exp(high)
        if law == "inv_log_uniform":
            return math.exp(-high), math.exp(-low)
        return low, high

    def plain(self, value: float) -> int | float:
        """`value`, drawn from the distribution, as a trial gets it.

        Quantised distributions give multiples of `q` that lie within the bounds, whole numbers where `q` is one.
        """
        if self.distribution == "int_uniform":
            return int(value)
        if "q" not in self.arguments:
            return float(value)
        return quantized(float(value), self.arguments["q"], self.bounds)

    def admits(self, value: Any) -> bool:
        """Whether the distribution can give `value`, but for what rounding does to it."""
        given = self.arguments.get("values", [self.arguments["value"]] if self.is_constant else None)
        if given is not None:
            same_number = is_number(value) and any(is_number(one) and value == one for one in given)
            return same_number or _as_json(value) in map(_as_json, given)
        if not is_number(value) or not math.isfinite(value) or (self.distribution == "int_uniform" and value != int(value)):
            return False
        if self.bounds is None:
            return True
        low, high = self.bounds
        slack = 1e-6 * max(abs(low), abs(high))
        return low - slack <= value <= high + slack

    def choices(self) -> Sequence[Any]:
        """Every value a grid goes through, in order and each once; ValueError where they cannot be counted."""
        arguments = self.arguments
        if self.distribution == "constant":
            return (arguments["value"],)
        if self.distribution == "categorical":
            return list({_as_json(value): value for value in arguments["values"]}.values())
        if self.distribution == "int_uniform":
            return range(arguments["min"], arguments["max"] + 1)
        if self.distribution == "q_uniform":
            counts = multiples(arguments["q"], (arguments["min"], arguments["max"]))
            return [quantized(count * arguments["q"], arguments["q"], None) for count in counts]
        raise ValueError(f"the values of {self.distribution} cannot be counted")

    def examples(self) -> tuple[Any, ...]:
        """A few values, as a trial gets them, that stand for all: every choice, or the lowest and the highest.

        Where there is no lowest and highest: the middle and what lies three standard deviations below and above it.
        """
        if "value" in self.arguments:
            return (self.arguments["value"],)
        if "values" in self.arguments:
            return tuple(self.arguments["values"])
        spread: tuple[float, ...] | None = self.bounds
        if spread is not None and self.distribution == "uniform":
            low, high = spread
            spread = (low, low + 0.381966 * (high - low), high)  # what only takes whole numbers does not take this one
        if spread is None:
            middle, sigma = self.arguments["mu"], self.arguments["sigma"]
            around = (middle - 3 * sigma, middle, middle + 3 * sigma)
            spread = tuple(map(math.exp, around)) if "log" in self.distribution else around
        return tuple(dict.fromkeys(self.plain(value) for value in spread or ()))


@dataclass(frozen=True, slots=True)
class SweepMetric:
    """What a sweep optimizes; it ends early when a trial reaches `target`."""

    name: str
    goal: Goal
    target: float | None
    where: Position


@dataclass(frozen=True, slots=True)
class Hyperband:
    """Early termination by one bracket of Hyperband; `bands` are numbers of reported values, increasing."""

    bands: tuple[int, ...]
    eta: float
    strict: bool
    where: Position


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """A whole sweep file.

    `max_trials` is None where nothing limits their number; `parallel` trials run at once. `sweeper` is the type of the
    backend, None for the default one, and `options` the rest of the file's `sweeper` block, for the backend's Config.
    """

    file: Path
    method: Method
    metric: SweepMetric
    parameters: tuple[Parameter, ...]
    early_terminate: Hyperband | None = None
    max_trials: int | None = None
    parallel: int = 1
    sweeper: str | None = None
    options: Document | None = None
    places: Mapping[str, Position] = field(default_factory=dict)

    def at(self, key: str) -> Position:
        """The place of one of the file's own keys."""
        return self.places.get(key, Position(str(self.file)))

    @property
    def grid_size(self) -> int | None:
        """How many trials a grid has; None for the other methods."""
        return math.prod(len(parameter.choices()) for parameter in self.parameters) if self.method == "grid" else None

    @property
    def most_trials(self) -> int | None:
        """How many trials there will be at most; None where nothing limits them."""
        return min((limit for limit in (self.max_trials, self.grid_size) if limit is not None), default=None)

    def digest(self) -> str:
        """A hash of what is searched, and for what: the method, the metric and its goal, the parameters.

        Left out is what may change when a sweep goes on: the limit, the target, early termination and the backend.
        """
        parameters = [[one.name, one.distribution, dict(one.arguments)] for one in self.parameters]
        if self.method != "grid":  # the order of a grid's parameters is that of its trials
            parameters.sort(key=lambda one: str(one[0]))
        text = _as_json([self.method, self.metric.name, self.metric.goal, parameters])
        return hashlib.sha256(text.encode()).hexdigest()


def short_name(name: str) -> str:
    """The name of a parameter as people read it: `demo.train.extra_configs.alpha` is `train.alpha`."""
    steps = name.split(".")
    at = next((at for at, step in enumerate(steps) if step in BLOCKS), 0)
    return ".".join([*steps[at - 1 : at], *steps[at + 1 :]]) if at else name


def _as_json(value: Any) -> str:
    """A text that tells `1`, `1.0`, `true` and `"1"` apart."""
    return json.dumps(value, sort_keys=True)
