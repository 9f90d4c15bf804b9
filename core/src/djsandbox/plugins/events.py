"""What the hooks of a run's life are told: plain, frozen values that an observer may keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["running", "done", "failed", "interrupted", "stopped"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One `djsandbox run`; many runs may follow each other in one `work_dir`."""

    run_id: str
    work_dir: Path
    project_name: str
    experiment_name: str
    config_file: Path
    trial: int | None = None
    """Its number, where the run is a trial of a sweep."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """The values of a trial's parameters, by name."""

    sweep_dir: Path | None = None
    """The work_dir of the sweep, where the run is one of its trials."""

    is_sweep: bool = False
    """Whether the run is a sweep, whose trials are runs of their own."""

    @property
    def home(self) -> Path:
        """The work_dir that a trial shares with its sweep, else the run's own: a new sweep clears away those of old trials."""
        return self.sweep_dir or self.work_dir


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """One trial of a sweep, in the run of the sweep itself; the jobs are told of in the trial's own process.

    `values` are those of the parameters by name; `value` is the metric's, None until the trial has ended and where it failed.
    `ended` counts the trials of the sweep that have.
    """

    number: int
    values: Mapping[str, Any]
    status: Status
    value: float | None = None
    seconds: float | None = None
    error: str | None = None
    log_file: Path | None = None
    ended: int = 0


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One job of one iteration (counted from 1).

    `hook` is the job hook the config names, `type_name` the component's type (None where the job has none). `reused` is
    true where an earlier result was taken over; `seconds` is None until the job has ended.
    """

    job_id: str
    pipeline: str
    stage: str
    meta_name: str
    hook: str
    type_name: str | None
    iteration: int
    status: Status
    reused: bool = False
    seconds: float | None = None
    log_file: Path | None = None


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One unit of outside work inside a job; `attempt` counts from 1, `seconds` is None until the task has ended."""

    task_id: str
    job_id: str
    name: str
    iteration: int
    attempt: int
    status: Status
    reused: bool = False
    seconds: float | None = None
    log_file: Path | None = None
