"""What a run would do: which jobs it would execute, which it would reuse, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from djsandbox.components.context import JobContext
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.attempt import outputs_of
from djsandbox.engine.folders import Folders
from djsandbox.engine.placement import Placement, Products
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.prepare import Iteration, PreparedJob, Preparer
from djsandbox.engine.reuse import Decision, Reuse
from djsandbox.errors import SandboxError
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import History
from djsandbox.journal.journal import Journal
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.watch.watcher import SandboxWatcher


@dataclass(frozen=True, slots=True)
class Forecast:
    """One job as a run would treat it now."""

    planned: PlannedJob
    action: Literal["run", "reuse"]
    reason: str


def forecast(plan: Plan, manager: SandboxPluginManager) -> Iterator[Forecast]:
    """Walk the plan as a run would in its first iteration, reading the journal and writing nothing."""
    config = plan.config
    first = 1 if config.is_iterated else None
    folders = Folders(config.work_dir, first)
    history = History(Journal(config.work_dir).events())
    fingerprints = Fingerprints(folders.fingerprints)
    watcher = SandboxWatcher(config.work_dir)
    placement = Placement(iteration=first)
    preparer = Preparer(config.folder, manager, fingerprints, placement)
    reuse = Reuse(history, fingerprints, watcher, run_id="", resume=config.resume)
    iteration = Iteration(1, ContextInfos(), Products(placement))
    running: dict[str, str] = {}
    for planned in plan.jobs:
        job = planned.job
        waiting = sorted(running[name] for name in planned.reads if name in running)
        if waiting:
            verb = "run" if len(waiting) > 1 else "runs"
            decision = Decision(None, f"it reads from {', '.join(waiting)}, which {verb} before it")
        else:
            context = JobContext(
                meta_name=job.meta_name, job_id=job.id, work_dir=folders.job(job.id), cache_dir=folders.cache,
                watcher=watcher.bind(job.id, job.meta_name, "", "", 1),
            )  # fmt: skip
            try:
                prepared = preparer.prepare(planned, iteration, context)
                decision = _with_tasks(reuse.decide(prepared, 1), prepared, reuse)
            except SandboxError as error:
                decision = Decision(None, error.problems[0].message)
            except Exception as error:  # a component's own, and a plan must show the other jobs all the same
                decision = Decision(None, f"it cannot be prepared: {type(error).__name__}: {error}")
        if decision.record is None:
            running[job.id] = job.label
            yield Forecast(planned, "run", decision.reason)
            continue
        watcher.adopt(decision.record.attempt)
        iteration.hand_on(prepared, decision.record, outputs_of(decision.record, folders))
        yield Forecast(planned, "reuse", decision.reason)


def _with_tasks(decision: Decision, prepared: PreparedJob, reuse: Reuse) -> Decision:
    """`decision` with what is known of a job that was not finished: tasks that are done are not repeated."""
    job = prepared.planned.job
    if decision.record is not None or not (reuse.resume and job.reuse):
        return decision
    done = len(reuse.history.tasks.of(job.id, 1, prepared.key))
    verb = "is" if done == 1 else "are"
    return Decision(None, f"it was not finished; {done} of its tasks {verb} done") if done else decision
