"""The contract of trackers: where else a run can be looked at."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from djsandbox.components.base import Finding
from djsandbox.components.config import ComponentConfig
from djsandbox.plugins.events import RunEvent, Status


@dataclass(frozen=True, slots=True)
class TrackedMetric:
    """A value that a job recorded.

    `name` is dotted, as `query` knows it; `value` is a number, a text, a truth value or None. `step` is the training step
    where it has one; `iteration` counts from 1. `task` is the name of the task it comes from, "" for the job itself.
    """

    name: str
    value: Any
    step: int | None
    iteration: int
    job_id: str
    task: str = ""


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """A table for people: one cell a column in each of `rows`, `notes` as lines below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...]
    iteration: int
    job_id: str
    task: str = ""


class Tracker(ABC):
    """Mirrors a run to where people look at it; a plugin registers its own in the group `djsandbox.trackers`.

    One is made for each run, a trial of a sweep being one, and the sweep itself another. After `start`, which comes first, it
    is told what happens in the order in which it does, from a thread of its own: the run neither waits for it nor fails with
    it. What raises is reported once, and nothing more is told to a tracker whose `start` did. Secrets are hidden already in
    what it is told. The class docstring is what `components list` shows. The constructor keeps its config and does nothing
    else.
    """

    Config: ClassVar[type[ComponentConfig]] = ComponentConfig

    def __init__(self, config: ComponentConfig) -> None:
        self.config: Any = config
        self.tell: Callable[[str], None] = logging.getLogger("djsandbox.trackers").warning
        """Shows a line to whoever runs this: where to look at the run, or why it cannot be mirrored."""

    def check(self) -> Iterable[Finding]:
        """Whatever can be found wrong with the options before the run, and that the types of `Config` do not say."""
        return ()

    @property
    def patience(self) -> float:
        """Seconds for which the end of the run waits until everything has been told."""
        return 10.0

    @abstractmethod
    def start(self, run: RunEvent) -> None:
        """Begin to mirror `run`."""

    @abstractmethod
    def log_metric(self, metric: TrackedMetric) -> None:
        """Mirror a value."""

    def log_config(self, name: str, config: Mapping[str, Any]) -> None:  # noqa: B027
        """Mirror a config: `sandbox` is the run's, `sweep` that of its sweep.

        What a job is given bears the id of the job, the latest iteration counts; jobs may record others, too.
        """

    def log_table(self, table: TrackedTable) -> None:  # noqa: B027
        """Mirror a table."""

    def log_context(self, context: Mapping[str, Any], iteration: int) -> None:  # noqa: B027
        """Mirror what the jobs of an iteration produced so far: pipeline -> a mapping for each job, with its `meta_name`.

        Told when a pipeline or the iteration ends; each time it is the whole. Paths are texts, data frames their kind and size.
        """

    def finish(self, status: Status) -> None:  # noqa: B027
        """The run has ended: done, failed or interrupted."""

    def abandon(self) -> None:  # noqa: B027
        """Give up at once, from another thread: the run does not wait any longer."""
