"""One job of one iteration: prepared, reused or executed, journalled, and handed on to those after it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.components.context import JobContext
from djsandbox.config.model import Job
from djsandbox.engine.attempt import execute, job_log, outputs_of
from djsandbox.engine.diagnosis.explaining import explain
from djsandbox.engine.environments import in_environments
from djsandbox.engine.folders import Folders
from djsandbox.engine.launching.tasks import JobTasks
from djsandbox.engine.planned import PlannedJob
from djsandbox.engine.prepare import Iteration, PreparedJob, Preparer
from djsandbox.engine.reuse import take_over
from djsandbox.engine.secrecy import secret_held
from djsandbox.engine.session import Session
from djsandbox.engine.signals import is_interrupted
from djsandbox.envs.environment import ReadyEnv
from djsandbox.errors import ComponentError, JobFailed, SandboxError
from djsandbox.jobs.base import JobInputs
from djsandbox.journal.history import JobRecord
from djsandbox.plugins.events import JobEvent
from djsandbox.redact import hide
from djsandbox.watch.parts import plain


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Runs the jobs of one iteration."""

    session: Session
    preparer: Preparer
    iteration: Iteration
    folders: Folders

    def run(self, planned: PlannedJob) -> None:
        """Run one job, or take over its result; JobFailed when it does not succeed."""
        job, session = planned.job, self.session
        attempt = f"{session.run_id}/{self.iteration.number}/{job.id}"
        log_file = self.folders.log(job.id, session.run_id)
        event = JobEvent(
            job.id, job.pipeline, job.stage, job.meta_name, job.hook, _type_name(planned), self.iteration.number, "running",
            log_file=log_file,
        )  # fmt: skip
        session.manager.notify("djsandbox_job_started", job=event)
        identity = {"run_id": session.run_id, "iteration": self.iteration.number, "job_id": job.id, "attempt": attempt}
        watcher = session.watcher.bind(job.id, job.meta_name, attempt, session.run_id, self.iteration.number)
        tasks = JobTasks(session, identity, watcher, log_file.with_suffix(""))
        session.running.append(identity)
        try:
            with job_log(log_file, attempt, session.secrets, debug=session.config.debug) as logger:
                context = JobContext(
                    meta_name=job.meta_name,
                    job_id=job.id,
                    iteration=self.iteration.number,
                    work_dir=self.folders.job(job.id),
                    cache_dir=self.folders.cache,
                    log_file=log_file,
                    watcher=watcher,
                    logger=logger,
                    tasks=tasks,
                )
                prepared = self._prepare(planned, context)
                session.watcher.watch_cfgs([(_config_of(prepared.inputs), job.id)])
                record, is_reused = self._result(prepared, identity, watcher.queried, tasks)
        except KeyboardInterrupt:
            session.journal.append("job_interrupted", **identity)
            raise
        except SandboxError as error:
            if is_interrupted():
                session.journal.append("job_interrupted", **identity)
                raise KeyboardInterrupt from error
            explain(error, session.secrets)
            error.rewrite(lambda text: hide(text, session.secrets))
            session.journal.append("job_failed", **identity, error=str(error))
            session.manager.notify("djsandbox_job_failed", job=replace(event, status="failed"), error=error)
            raise
        finally:
            session.running.clear()
        self.iteration.hand_on(prepared, record, outputs_of(record, self.folders))
        done = replace(event, status="done", reused=is_reused, seconds=record.seconds)
        session.manager.notify("djsandbox_job_finished", job=done)

    def _prepare(self, planned: PlannedJob, context: JobContext) -> PreparedJob:
        try:
            return self.preparer.prepare(planned, self.iteration, context)
        except SandboxError as error:
            raise self._failed(planned.job, error) from error
        except Exception as error:
            context.logger.exception("the job could not be prepared")
            raise self._failed(planned.job, error, context.log_file) from error

    def _failed(self, job: Job, error: BaseException, log: Path | None = None) -> JobFailed:
        shown = None if log is None else str(log)
        return JobFailed(job.id, error, where=job.where, log=shown, iteration=self.folders.iteration)

    def _result(
        self, prepared: PreparedJob, identity: Mapping[str, Any], queries: Mapping[str, str], tasks: JobTasks
    ) -> tuple[JobRecord, bool]:
        with self.session.holding(prepared):
            return self._found_or_made(prepared, identity, queries, tasks)

    def _found_or_made(
        self, prepared: PreparedJob, identity: Mapping[str, Any], queries: Mapping[str, str], tasks: JobTasks
    ) -> tuple[JobRecord, bool]:
        job, session = prepared.planned.job, self.session
        decision = session.reuse.decide(prepared, self.iteration.number)
        if decision.record is not None:
            record = replace(
                take_over(decision.record, prepared, session.fingerprints),
                run_id=session.run_id, iteration=self.iteration.number, job_id=job.id, meta_name=job.meta_name,
            )  # fmt: skip
            origin = session.folders_of(decision)
            self._share_frames(origin.frames(decision.record.job_id), job.id)
            if decision.shared is not None:
                session.watcher.take_over(decision.shared.watched)
            session.watcher.adopt(record.attempt)
            session.journal.append("job_reused", **record.to_fields(), from_run=decision.record.run_id)
            session.history.add(record)
            session.reused.append(job.id)
            return record, True
        session.journal.append("job_started", **identity, key=prepared.key, reason=decision.reason)
        with self._environments(prepared, identity):
            record = execute(prepared, session.fingerprints, self.folders, identity=identity, queries=queries, tasks=tasks)
        session.watcher.flush()
        self._refuse_secrets(record, prepared)
        session.journal.append("job_finished", **record.to_fields())
        session.history.add(record)
        session.share(prepared, record)
        session.executed.append(job.id)
        return record, False

    @contextlib.contextmanager
    def _environments(self, prepared: PreparedJob, identity: Mapping[str, Any]) -> Iterator[None]:
        """While open, the components of the job have their environments, which are made before where they are not there."""
        session, job = self.session, prepared.planned.job

        def note(ready: ReadyEnv) -> None:
            found = {"name": ready.name, "manager": ready.manager, "hash": ready.hash, "path": str(ready.path)}
            session.journal.append("environment_ready", **identity, **found, packages=dict(ready.packages))
            session.manager.notify("djsandbox_environment_ready", name=ready.name, path=ready.path)

        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(in_environments(prepared.components, prepared.environments, note))
            except Exception as error:
                if not isinstance(error, SandboxError):
                    prepared.inputs.context.logger.exception("the environment could not be made ready")
                raise self._failed(job, error, prepared.inputs.context.log_file) from error
            yield

    def _refuse_secrets(self, record: JobRecord, prepared: PreparedJob) -> None:
        """What a job gives is written down, and is no use to later jobs with a part of it hidden."""
        for name, value in record.outputs.items():
            whose = secret_held(value, self.session.config_secrets)
            if whose is not None:
                error = ComponentError(f"its output '{name}' holds {whose}", fix="return something without it")
                raise JobFailed(record.job_id, error, where=prepared.planned.job.at("output"))

    def _share_frames(self, source: Path, job_id: str) -> None:
        """Data frames are kept in the folder of the job that made them; give them to one that shares its result."""
        target = self.folders.frames(job_id)
        if source != target and source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)


def _config_of(inputs: JobInputs) -> dict[str, Any] | None:
    """What the job is given, files read and references followed; None where that is nothing."""
    blocks = {"dj_configs": inputs.dj_configs, "extra_configs": inputs.extra_configs}
    return {name: plain(block) for name, block in blocks.items() if block} or None


def _type_name(planned: PlannedJob) -> str | None:
    return planned.origins[-1].type_name if planned.origins else None
