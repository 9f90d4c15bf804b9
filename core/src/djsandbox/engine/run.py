"""Running a plan: iteration after iteration, pipeline after pipeline, job after job."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.context.infos import ContextInfos
from djsandbox.engine.children import forked_children_end_with_us
from djsandbox.engine.contexts import ContextFile
from djsandbox.engine.environments import prove_existing
from djsandbox.engine.iteration import Updates, given_texts, next_updates, targets_met, updated
from djsandbox.engine.job import JobRunner
from djsandbox.engine.placement import Placement, Products
from djsandbox.engine.planned import Plan
from djsandbox.engine.prepare import Iteration, Preparer
from djsandbox.engine.recorded import recorded_run
from djsandbox.engine.session import Session, TrialScope, open_session
from djsandbox.engine.signals import signals_interrupt
from djsandbox.journal.lock import WorkDirLock
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.watch.record import Table


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run that came to its end leaves: the context of its last iteration, the tables, the jobs executed and reused.

    `targets_met` is None where the config has no targets.
    """

    run_id: str
    work_dir: Path
    context: dict[str, Any]
    tables: tuple[Table, ...]
    executed: tuple[str, ...]
    reused: tuple[str, ...]
    seconds: float
    iterations: int = 1
    targets_met: bool | None = None


def run_plan(plan: Plan, manager: SandboxPluginManager, trial: TrialScope | None = None) -> RunResult:
    """Run all jobs of `plan`; JobFailed when one fails, ConfigError when the work_dir cannot be used.

    KeyboardInterrupt (Ctrl-C or SIGTERM) passes on when what was interrupted has been journalled.
    """
    if not plan.config.resume:  # else the jobs that need them may have been done
        prove_existing([part.environment for job in plan.jobs for part in job.parts if part.environment is not None])
    with WorkDirLock(plan.config.work_dir), forked_children_end_with_us():
        session = open_session(plan, manager, trial)
        with signals_interrupt(session.note_interrupted, session.stoppables):
            return _run(session)


def _run(session: Session) -> RunResult:
    config = session.config
    started = time.monotonic()
    with recorded_run(session):
        last = _iterations(session)
    return RunResult(
        run_id=session.run_id,
        work_dir=config.work_dir,
        context=last.context.to_dict(),
        tables=tuple(session.watcher.tables()),
        executed=tuple(session.executed),
        reused=tuple(session.reused),
        seconds=time.monotonic() - started,
        iterations=last.number,
        targets_met=targets_met(config, last.context) if config.iter_targets else None,
    )


def _iterations(session: Session) -> Iteration:
    """Iterate until the targets are met or the last iteration is done; returns the last one."""
    config = session.config
    updates: Updates = {}
    number = 1
    while True:
        iteration = _iteration(session, number, updates)
        is_met = targets_met(config, iteration.context)
        session.journal.append("iteration_finished", run_id=session.run_id, iteration=number, targets_met=is_met)
        session.manager.notify("djsandbox_iteration_finished", iteration=number)
        if is_met or number == config.max_iter_num:
            return iteration
        updates = next_updates(config, iteration.context)
        number += 1


def _iteration(session: Session, number: int, updates: Updates) -> Iteration:
    config, folders = session.config, session.folders(number)
    trial = session.trial.number if session.trial else None
    placement = Placement(iteration=number if config.is_iterated else None, trial=trial)
    iteration = Iteration(number, ContextInfos(), Products(placement))
    preparer = Preparer(config.folder, session.manager, session.fingerprints, placement)
    runner = JobRunner(session, preparer, iteration, folders)
    context_file = ContextFile(folders)
    session.manager.notify("djsandbox_iteration_started", iteration=number)
    try:
        for pipeline in config.pipelines:
            iteration.context.begin_pipeline(pipeline.name)
            session.manager.notify("djsandbox_pipeline_started", pipeline=pipeline.name, iteration=number)
            for planned in session.plan.jobs_of(pipeline.name):
                iteration.given = given_texts(updates, planned.job)
                runner.run(replace(planned, job=updated(planned.job, updates)))
                context_file.write(iteration.context, now=False)
            context_file.write(iteration.context)
            session.manager.notify("djsandbox_context_changed", context=iteration.context.to_dict(), iteration=number)
            session.manager.notify("djsandbox_pipeline_finished", pipeline=pipeline.name, iteration=number)
    except BaseException:
        session.manager.notify("djsandbox_context_changed", context=iteration.context.to_dict(), iteration=number)
        raise
    finally:
        context_file.write(iteration.context)
    return iteration
