"""What the hooks of a run's life are told: plain, frozen values that an observer may keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One `djsandbox run`; many runs may follow each other in one `work_dir`."""

    run_id: str
    work_dir: Path
    project_name: str
    experiment_name: str
    config_file: Path


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
