"""Running a plan: each job prepared, reused or executed, journalled, and handed on to those after it."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from djsandbox.components.context import JobContext
from djsandbox.config.model import SandboxConfig
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.attempt import execute, job_log, outputs_of
from djsandbox.engine.children import forked_children_end_with_us
from djsandbox.engine.contexts import ContextFile
from djsandbox.engine.folders import Folders
from djsandbox.engine.placement import Placement
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.prepare import Iteration, PreparedJob, Preparer
from djsandbox.engine.reuse import Reuse, take_over
from djsandbox.engine.signals import sigterm_interrupts
from djsandbox.errors import JobFailed, SandboxError
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import History, JobRecord
from djsandbox.journal.journal import Journal
from djsandbox.journal.keys import content_key
from djsandbox.journal.lock import WorkDirLock
from djsandbox.plugins.events import JobEvent, RunEvent, Status
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.redact import hide, secrets_in
from djsandbox.watch.record import Table
from djsandbox.watch.watcher import SandboxWatcher


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run that came to its end leaves: its context, tables and the number of jobs executed and reused."""

    run_id: str
    work_dir: Path
    context: dict[str, Any]
    tables: tuple[Table, ...]
    executed: tuple[str, ...]
    reused: tuple[str, ...]
    seconds: float


def run_plan(plan: Plan, manager: SandboxPluginManager) -> RunResult:
    """Run all jobs of `plan`; JobFailed when one fails, ConfigError when the work_dir cannot be used.

    KeyboardInterrupt (Ctrl-C or SIGTERM) passes on when what was interrupted has been journalled.
    """
    with WorkDirLock(plan.config.work_dir), sigterm_interrupts(), forked_children_end_with_us():
        runner = _Runner.open(plan, manager)
        return runner.run()


@dataclass(slots=True)
class _Runner:
    plan: Plan
    manager: SandboxPluginManager
    folders: Folders
    journal: Journal
    history: History
    fingerprints: Fingerprints
    watcher: SandboxWatcher
    run_id: str
    preparer: Preparer
    reuse: Reuse
    secrets: frozenset[str]
    executed: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, plan: Plan, manager: SandboxPluginManager) -> _Runner:
        config = plan.config
        folders = Folders(config.work_dir)
        journal = Journal(config.work_dir)
        history = History(journal.events())
        run_id = f"run_{len(history.runs()) + 1:04d}"
        fingerprints = Fingerprints(folders.fingerprints)
        watcher = SandboxWatcher(config.work_dir, notify=manager.notify)
        if not config.resume and folders.cache.is_dir():
            shutil.rmtree(folders.cache)
        return cls(
            plan=plan,
            manager=manager,
            folders=folders,
            journal=journal,
            history=history,
            fingerprints=fingerprints,
            watcher=watcher,
            run_id=run_id,
            preparer=Preparer(config.folder, manager, fingerprints, Placement()),
            secrets=_secrets(config),
            reuse=Reuse(history, fingerprints, watcher, run_id, config.resume),
        )

    def run(self) -> RunResult:
        config = self.plan.config
        started = time.monotonic()
        event = RunEvent(self.run_id, config.work_dir, config.project_name, config.experiment_name, config.file)
        self.journal.append("run_started", **self._run_fields())
        self.watcher.start(self.run_id)
        self.watcher.watch_cfgs([(dict(config.positions.data) if config.positions else {}, "sandbox")])
        self.manager.notify("djsandbox_run_started", run=event)
        status: Status = "failed"
        try:
            iteration = self._iterate(1)
            status = "done"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self.fingerprints.save()
            self.journal.append("run_finished", run_id=self.run_id, status="finished" if status == "done" else status)
            self.watcher.flush()
            self.manager.notify("djsandbox_run_finished", run=event, status=status)
        return RunResult(
            run_id=self.run_id,
            work_dir=config.work_dir,
            context=iteration.context.to_dict(),
            tables=tuple(self.watcher.tables()),
            executed=tuple(self.executed),
            reused=tuple(self.reused),
            seconds=time.monotonic() - started,
        )

    def _run_fields(self) -> dict[str, Any]:
        config = self.plan.config
        plugins = {
            (origin.distribution, origin.version)
            for planned in self.plan.jobs
            for origin in (planned.hook_origin, *planned.origins)
            if origin.distribution
        }
        data = config.positions.data if config.positions else {}
        return {
            "run_id": self.run_id,
            "config_file": str(config.file),
            "config_digest": content_key({"config": repr(data)}),
            "versions": {"djsandbox": importlib.metadata.version("djsandbox"), **dict(sorted(plugins))},
            "resume": config.resume,
        }

    def _iterate(self, number: int) -> Iteration:
        iteration = Iteration(number, ContextInfos())
        context_file = ContextFile(self.folders.context_file)
        self.manager.notify("djsandbox_iteration_started", iteration=number)
        try:
            for pipeline in self.plan.config.pipelines:
                iteration.context.begin_pipeline(pipeline.name)
                self.manager.notify("djsandbox_pipeline_started", pipeline=pipeline.name, iteration=number)
                for planned in self.plan.jobs_of(pipeline.name):
                    self._job(planned, iteration)
                    context_file.write(iteration.context, now=False)
                context_file.write(iteration.context)
                self.manager.notify("djsandbox_pipeline_finished", pipeline=pipeline.name, iteration=number)
        finally:
            context_file.write(iteration.context)
        self.journal.append("iteration_finished", run_id=self.run_id, iteration=number)
        self.manager.notify("djsandbox_iteration_finished", iteration=number)
        return iteration

    def _job(self, planned: PlannedJob, iteration: Iteration) -> None:
        job = planned.job
        attempt = f"{self.run_id}/{iteration.number}/{job.id}"
        log_file = self.folders.log(job.id, self.run_id)
        event = JobEvent(
            job.id, job.pipeline, job.stage, job.meta_name, job.hook, _type_name(planned), iteration.number, "running",
            log_file=log_file,
        )  # fmt: skip
        self.manager.notify("djsandbox_job_started", job=event)
        identity = {"run_id": self.run_id, "iteration": iteration.number, "job_id": job.id, "attempt": attempt}
        watcher = self.watcher.bind(job.id, job.meta_name, attempt, self.run_id, iteration.number)
        try:
            with job_log(log_file, attempt, self.secrets, debug=self.plan.config.debug) as logger:
                context = JobContext(
                    meta_name=job.meta_name,
                    job_id=job.id,
                    iteration=iteration.number,
                    work_dir=self.folders.job(job.id),
                    cache_dir=self.folders.cache,
                    log_file=log_file,
                    watcher=watcher,
                    logger=logger,
                )
                prepared = self._prepare(planned, iteration, context)
                record, is_reused = self._result(prepared, iteration, identity, watcher.queried)
        except KeyboardInterrupt:
            self.journal.append("job_interrupted", **identity)
            raise
        except SandboxError as error:
            error.rewrite(lambda text: hide(text, self.secrets))
            self.journal.append("job_failed", **identity, error=str(error))
            self.manager.notify("djsandbox_job_failed", job=replace(event, status="failed"), error=error)
            raise
        iteration.hand_on(prepared, record, outputs_of(record, self.folders))
        done = replace(event, status="done", reused=is_reused, seconds=record.seconds)
        self.manager.notify("djsandbox_job_finished", job=done)

    def _prepare(self, planned: PlannedJob, iteration: Iteration, context: JobContext) -> PreparedJob:
        try:
            return self.preparer.prepare(planned, iteration, context)
        except SandboxError as error:
            raise JobFailed(planned.job.id, error, where=planned.job.where) from error
        except Exception as error:
            context.logger.exception("the job could not be prepared")
            raise JobFailed(planned.job.id, error, where=planned.job.where, log=str(context.log_file)) from error

    def _result(
        self, prepared: PreparedJob, iteration: Iteration, identity: dict[str, Any], queries: Mapping[str, str]
    ) -> tuple[JobRecord, bool]:
        job = prepared.planned.job
        decision = self.reuse.decide(prepared, iteration.number)
        if decision.record is not None:
            record = replace(
                take_over(decision.record, prepared, self.fingerprints),
                run_id=self.run_id, iteration=iteration.number, job_id=job.id, meta_name=job.meta_name,
            )  # fmt: skip
            self._share_frames(decision.record, job.id)
            self.watcher.adopt(record.attempt)
            self.journal.append("job_reused", **record.to_fields(), from_run=decision.record.run_id)
            self.history.add(record)
            self.reused.append(job.id)
            return record, True
        self.journal.append("job_started", **identity, key=prepared.key, reason=decision.reason)
        record = execute(prepared, self.fingerprints, self.folders, identity=identity, queries=queries)
        self.watcher.flush()
        self.journal.append("job_finished", **record.to_fields())
        self.history.add(record)
        self.executed.append(job.id)
        return record, False

    def _share_frames(self, record: JobRecord, job_id: str) -> None:
        """Data frames are kept in the folder of the job that made them; give them to one that shares its result."""
        if record.job_id != job_id and self.folders.frames(record.job_id).is_dir():
            shutil.copytree(self.folders.frames(record.job_id), self.folders.frames(job_id), dirs_exist_ok=True)


def _secrets(config: SandboxConfig) -> frozenset[str]:
    """Values of the config that must not be written down, wherever they turn up."""
    found = secrets_in(config.positions.data if config.positions else {})
    for job in config.jobs():
        for block in (job.dj_configs, job.extra_configs):
            found |= secrets_in(block.document.data if block.document else {})
        found |= secrets_in({value.target.text.rpartition(".")[2]: value.value for value in job.local})
    return found


def _type_name(planned: PlannedJob) -> str | None:
    return planned.origins[-1].type_name if planned.origins else None
