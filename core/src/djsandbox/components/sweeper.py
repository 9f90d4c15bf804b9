"""The contract of sweep backends: who chooses the parameters of the next trial."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from djsandbox.components.base import Finding
from djsandbox.components.config import ComponentConfig
from djsandbox.config.sweep import SweepConfig


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of values to try: parameter name -> plain value, constants included. Trials are counted from 1."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """How a trial ended.

    `value` is the metric's, of a stopped trial the last one it reported; None where it failed.
    """

    trial: Trial
    status: Literal["done", "stopped", "failed"]
    value: float | None


class Sweeper(ABC):
    """Chooses what a sweep tries; a plugin registers its own in the group `djsandbox.sweepers`.

    It runs in the parent, which asks and tells from one thread, and may ask again before it has told. What has been tried is
    in the engine's journal; a sweeper may keep a record of its own in `folder` and is brought up to date when a sweep goes on.
    The class docstring is what `components list` shows. The constructor keeps what it is given and does nothing else.
    """

    class Config(ComponentConfig):
        """What the `sweeper` block of a sweep file says beside its type."""

    libraries: ClassVar[tuple[str, ...]] = ()

    project_name: str = ""
    experiment_name: str = ""
    """Those of the sandbox config; set before `check`."""

    def __init__(self, config: ComponentConfig, sweep: SweepConfig, folder: Path) -> None:
        self.config: Any = config
        self.sweep = sweep
        self.folder = folder
        self.notice: Callable[[str], None] = logging.getLogger("djsandbox.sweepers").warning
        """Shows a line to whoever runs this: where to look at the sweep."""

    def check(self) -> Iterable[Finding]:
        """Whatever can be found wrong with the options before the first trial, and that the types of `Config` do not say."""
        return ()

    @abstractmethod
    def open(self, name: str, results: Sequence[TrialResult]) -> None:
        """Begin the sweep called `name`, or go on with it where `results` or a record in `folder` say that it has begun.

        Trials of its own record that are not in `results` never ended: they are asked for again, with their number and
        values. Raises SandboxError where its record is of another search space.
        """

    @abstractmethod
    def ask(self) -> Trial | None:
        """The next trial to run; None where there is nothing left to try."""

    @abstractmethod
    def tell(self, result: TrialResult) -> None:
        """Note how a trial ended."""

    def environment(self, trial: Trial) -> Mapping[str, str]:
        """Variables of the environment that a trial which was asked for runs with, beside our own; none unless overridden."""
        return {}

    def report(self, trial: Trial, step: int, value: float) -> None:  # noqa: B027
        """Note a value that a running trial reported, the `step`-th (from 1); does nothing unless overridden."""

    def close(self) -> None:  # noqa: B027
        """Give back what `open` took; does nothing unless overridden."""
