"""A hyper-parameter sweep as the engine sees it: frozen, complete, with the place of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from djsandbox.config.document import Document
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
