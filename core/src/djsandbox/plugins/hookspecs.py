"""What a plugin may hear of a run and change in it.

An implementation bears the name of a specification, is marked with `hookimpl`, and takes those of its arguments that it needs:

    from djsandbox import hookimpl

    @hookimpl
    def djsandbox_job_finished(job):
        print(job.meta_name, job.seconds)

The module (or object) that holds it is named by an entry point of the group `djsandbox.plugins`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from djsandbox.plugins.events import JobEvent, RunEvent, Status, TaskEvent, TrialEvent

if TYPE_CHECKING:
    from djsandbox.components.base import Component
    from djsandbox.components.config import ComponentConfig
    from djsandbox.config.model import SandboxConfig

PROJECT_NAME = "djsandbox"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


# -- supplying components ----------------------------------------------------------------------------------------------
# The first result that is not None is used. The core makes `component_class(config)` when no plugin supplies anything. A plugin
# that does, or that wraps the hook, enters the content key of the job with its version or its code. They are called for
# planning, too, and must be as cheap as a constructor.


@hookspec(firstresult=True)
def djsandbox_make_executor(factory: str, component_class: type[Component], config: ComponentConfig) -> Component | None:
    """Supply an executor.

    `factory` is the short name of the group (`model_train_executors`), `component_class` the class that the job's type selected
    and `config` its validated `Config`. None leaves the job to others.
    """


@hookspec(firstresult=True)
def djsandbox_make_evaluator(factory: str, component_class: type[Component], config: ComponentConfig) -> Component | None:
    """Supply an evaluator; the arguments are those of `djsandbox_make_executor`."""


@hookspec(firstresult=True)
def djsandbox_make_manipulator(factory: str, component_class: type[Component], config: ComponentConfig) -> Component | None:
    """Supply a data-pool manipulator; the arguments are those of `djsandbox_make_executor`."""


# -- the life of a run -------------------------------------------------------------------------------------------------
# Observers: results are ignored. One that raises is reported with its plugin's name, and the run goes on.


@hookspec
def djsandbox_config_loaded(config: SandboxConfig) -> None:
    """A sandbox config was read, with its includes and overrides; it cannot be changed any more."""


@hookspec
def djsandbox_run_started(run: RunEvent) -> None:
    """A run begins: its config is valid and its work_dir exists."""


@hookspec
def djsandbox_run_finished(run: RunEvent, status: Status) -> None:
    """A run has ended; `status` is done, failed or interrupted."""


@hookspec
def djsandbox_sweep_started(run: RunEvent, sweep: Mapping[str, Any]) -> None:
    """A sweep begins, or goes on; `sweep` is the content of its file."""


@hookspec
def djsandbox_trial_started(trial: TrialEvent) -> None:
    """A trial begins, in a process of its own; the hooks for its run, jobs and metrics are called there."""


@hookspec
def djsandbox_trial_finished(trial: TrialEvent) -> None:
    """A trial has ended; `trial.status` is done, stopped (it fell behind), failed or interrupted."""


@hookspec
def djsandbox_iteration_started(iteration: int) -> None:
    """Iteration number `iteration` begins; the first is 1."""


@hookspec
def djsandbox_iteration_finished(iteration: int) -> None:
    """Iteration number `iteration` has finished all its pipelines."""


@hookspec
def djsandbox_pipeline_started(pipeline: str, iteration: int) -> None:
    """The pipeline named `pipeline` begins in iteration number `iteration`."""


@hookspec
def djsandbox_pipeline_finished(pipeline: str, iteration: int) -> None:
    """The pipeline named `pipeline` has finished all its jobs in iteration number `iteration`."""


@hookspec
def djsandbox_job_started(job: JobEvent) -> None:
    """A job begins to work; a job whose result is reused only finishes."""


@hookspec
def djsandbox_job_finished(job: JobEvent) -> None:
    """A job has its outputs, made now or (`job.reused`) taken over."""


@hookspec
def djsandbox_job_failed(job: JobEvent, error: BaseException) -> None:
    """A job ended without outputs; `error` is what it raised."""


@hookspec
def djsandbox_task_started(task: TaskEvent) -> None:
    """A task of a job begins."""


@hookspec
def djsandbox_task_finished(task: TaskEvent) -> None:
    """A task of a job has ended, well or not: see `task.status`."""


@hookspec
def djsandbox_metrics_logged(name: str, value: Any, job_id: str, step: int | None, task: str) -> None:
    """A metric was recorded.

    `name` is dotted (`train_small.loss`), `value` a number or a string, `job_id` the job that recorded it, `step` the
    training step where it has one, `task` the name of the task that it comes from, "" for the job itself. Called often, and
    from the threads that read logs.
    """


@hookspec
def djsandbox_table_logged(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str], job_id: str, task: str
) -> None:
    """A table for people was recorded: `rows` hold one cell a column, `notes` are lines below the table.

    `task` is the name of the task that it comes from, "" for the job itself.
    """


@hookspec
def djsandbox_config_logged(name: str, config: Mapping[str, Any]) -> None:
    """A config was recorded, its secrets hidden: `sandbox` is the run's, `sweep` that of its sweep.

    What a job is given bears the id of the job; jobs may record others, too.
    """


@hookspec
def djsandbox_context_changed(context: Mapping[str, Any], iteration: int) -> None:
    """A pipeline, or the iteration, has ended: `context` is what its jobs produced so far, as in context_infos.json.

    Pipeline -> a mapping for each finished job: its `meta_name` and its outputs, which are the objects themselves.
    """


@hookspec
def djsandbox_notice(text: str) -> None:
    """Something that whoever runs this should read: where a tracker mirrors the run to, or why it cannot."""


@hookspec
def djsandbox_environment_ready(name: str, path: Path) -> None:
    """The environment of recipe `name` can be used; `path` is its folder."""
