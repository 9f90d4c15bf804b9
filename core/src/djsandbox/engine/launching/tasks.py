"""The tasks of one job in a run: the engine's side of `JobContext.tasks`."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from djsandbox.components.context import JobContext
from djsandbox.components.launcher import Attempt, Launcher
from djsandbox.components.task import Task, TaskPolicy
from djsandbox.components.task_runner import Begin, TaskWork
from djsandbox.engine.launching.adoption import Adoptable
from djsandbox.engine.launching.choice import DEFAULT, choose
from djsandbox.engine.launching.definition import Told, definition_of, named_files, told_variables, variable_digest
from djsandbox.engine.launching.ledger import Ledger
from djsandbox.engine.launching.pool import Pool
from djsandbox.engine.launching.unrecorded import UnrecordedWatcher
from djsandbox.engine.prepare import PreparedJob
from djsandbox.engine.secrecy import secret_argument
from djsandbox.engine.session import Session
from djsandbox.errors import ComponentError, ConfigError, Problem
from djsandbox.journal.fingerprint import snapshot
from djsandbox.journal.tasks import UNSETTLED, TaskRecord
from djsandbox.watch.bound import BoundWatcher

_LONGEST_NAME = 120  # bytes of a task's name that become a folder's


class JobTasks:
    """Runs the tasks of one attempt of a job; `identity` names the attempt, `log_folder` gets a folder a task."""

    def __init__(self, session: Session, identity: Mapping[str, Any], watcher: BoundWatcher, log_folder: Path) -> None:
        self._session = session
        self._identity = identity
        self._watcher = watcher
        self._log_folder = log_folder
        self._ledger = Ledger(session, identity)
        self._prepared: PreparedJob | None = None
        self._adoptable = Adoptable({}, session.fingerprints, log_folder)
        self._told = Told(log_folder, {}, session.fingerprints)
        self._adopted: list[TaskRecord] = []
        self._done: dict[str, TaskRecord] = {}
        self._definitions: dict[str, str] = {}
        self._tasks: list[Task] = []
        self._inputs: dict[str, Any] = {}

    # -- around the job ------------------------------------------------------------------------------------------------

    def expect(self, prepared: PreparedJob) -> set[str]:
        """Get ready for a job that is about to run; returns what in its own folder its tasks may take over."""
        self._prepared = prepared
        work_dir = prepared.inputs.context.work_dir
        if self._session.reuse.resume and prepared.planned.job.reuse:
            records = self._session.history.tasks.of(self._identity["job_id"], self._identity["iteration"], prepared.key)
            self._adoptable = Adoptable(records, self._session.fingerprints, work_dir)
        self._inputs = _stamps(prepared.seen)
        self._told = Told(work_dir, self._adoptable.marks(), self._session.fingerprints)
        return self._adoptable.roots()

    def written(self) -> list[str]:
        """Files that the tasks of the job have left, those taken over included; nothing else of earlier runs is there then."""
        self._adoptable.discard_rest(self._adopted)
        return [path for task in self._tasks for output in task.outputs for path in snapshot(output)]

    def variables(self) -> dict[str, str]:
        """The variables of our own environment that its tasks were told, with digests of their values."""
        return {name: variable_digest(name) for task in self._tasks for name in told_variables(task)}

    # -- the tasks -----------------------------------------------------------------------------------------------------

    def run(self, tasks: Iterable[Task], begin: Begin, policy: TaskPolicy) -> list[Any]:
        """The results of all tasks, in their order; ComponentError, naming all that failed, where one did."""
        asked = self._checked(list(tasks))
        results: dict[str, Any] = {}
        for task in asked:
            self._take_over(task, begin, results)
        open_tasks = [task for task in asked if task.name not in results]
        self._adoptable.discard([task.name for task in open_tasks], self._adopted)
        if open_tasks:
            with self._launcher() as launcher, self._stoppable(launcher):
                _refuse_impossible(launcher, open_tasks)
                pool = Pool(
                    launcher,
                    policy,
                    self._ledger,
                    attempt_of=lambda task, number: self._attempt(task, number, policy),
                    work_of=lambda attempt: self._work(attempt, begin),
                    finish=self._finish,
                    log=self._context.logger.info,
                )
                done = pool.run(open_tasks)
            results.update(zip([task.name for task in open_tasks], done, strict=True))
        _refuse_vanished(self._done.values())
        self._told.tasks_have_run()
        return [results[task.name] for task in asked]

    def _checked(self, tasks: list[Task]) -> list[Task]:
        """The tasks, all different from each other and from those of earlier calls."""
        self._tasks.extend(tasks)
        twice = [name for name, count in Counter(task.name for task in self._tasks).items() if count > 1]
        if twice:
            raise ComponentError(f"two tasks of the job are named '{twice[0]}'", fix="give each task a name of its own")
        _refuse_shared_outputs(self._tasks)
        _refuse_secret_arguments(tasks, self._session.config_secrets)
        work_dir = self._context.work_dir
        told = self._told.files({os.path.abspath(path) for task in self._tasks for path in task.outputs})
        written = {os.path.abspath(path) for task in tasks for path in task.outputs}
        for task in tasks:
            named = named_files(task, work_dir, written, self._session.fingerprints)
            self._definitions[task.name] = definition_of(task, told, named)
        return tasks

    def _take_over(self, task: Task, begin: Begin, results: dict[str, Any]) -> None:
        record = self._adoptable.find(task, self._definitions[task.name])
        if record is None:
            return
        attempt = Attempt(task, self._identity["job_id"], record.number, Path(record.log) if record.log else None)
        try:
            results[task.name] = self._work(attempt, begin, anew=False).read()
        except Exception:
            self._context.logger.warning("the earlier result of task '%s' cannot be read", task.name, exc_info=True)
            return
        now = replace(record, run_id=self._identity["run_id"], attempt=self._identity["attempt"])
        source = self._watcher.of_task(task.name, record.number).source
        self._session.watcher.adopt_task(source, record.attempt)
        self._adopted.append(now)
        self._done[task.name] = now
        self._ledger.reused(now, record)

    def _attempt(self, task: Task, number: int, policy: TaskPolicy) -> Attempt:
        log_file = self._log_folder / _folder_name(task.name) / f"{number}.log"
        timeout = policy.timeout if task.timeout is None else task.timeout
        held = self._session.folders(1).processes
        return Attempt(task, self._identity["job_id"], number, log_file, timeout, self._session.secrets, held)

    def _work(self, attempt: Attempt, begin: Begin, *, anew: bool = True) -> TaskWork:
        """What the component does for an attempt, which has ended long ago where it is not made `anew`."""
        name = attempt.task.name
        watcher = self._watcher.of_task(name, attempt.number)
        if anew and attempt.number > 1:
            self._session.watcher.retry_task(watcher.source)
        context = replace(
            self._context,
            watcher=watcher if anew else UnrecordedWatcher(watcher),
            logger=_logger(self._context.logger, name),
            log_file=attempt.log_file,
            task=name,
            tasks=None,
        )
        return begin(attempt.task, context)

    def _finish(self, attempt: Attempt, seconds: float) -> None:
        fingerprints = self._session.fingerprints
        name, outputs = attempt.task.name, attempt.task.outputs
        self._done[name] = record = TaskRecord(
            **self._identity,
            key=self._job.key if self._is_settled() else f"{UNSETTLED}{self._identity['attempt']}",
            task=name,
            definition=self._definitions[name],
            number=attempt.number,
            files={path: fingerprints.of(path) for output in outputs for path in snapshot(output)},
            seconds=seconds,
            log=str(attempt.log_file),
            outputs=list(outputs),
        )
        self._ledger.finished(attempt, record)

    def _is_settled(self) -> bool:
        """Whether the inputs are as they were when the job began; else nobody knows what a task has read."""
        try:
            return _stamps(self._inputs) == self._inputs
        except OSError:
            return False

    def _stoppable(self, launcher: Launcher) -> contextlib.AbstractContextManager[None]:
        """While open, what the launcher runs is among what must not outlive the run."""
        return self._session.stoppables.registered(lambda: launcher.stop(at_once=True), launcher.grace)

    def _launcher(self) -> Launcher:
        """The job's own, else the one of the whole config, else the local one."""
        config = self._session.config
        problems: list[Problem] = []
        chosen = self._job.launcher
        if chosen is None and config.launcher is not None:
            chosen = choose(config.launcher, config.folder, problems)
        if any(problem.severity == "error" for problem in problems):
            raise ConfigError.of(problems)
        return (chosen or DEFAULT).make()

    @property
    def _job(self) -> PreparedJob:
        assert self._prepared is not None  # noqa: S101 - tasks are run by a job, after `expect`
        return self._prepared

    @property
    def _context(self) -> JobContext:
        return self._job.inputs.context


def _stamps(paths: Iterable[str]) -> dict[str, Any]:
    return {path: snapshot(path) for path in paths}


def _refuse_vanished(records: Iterable[TaskRecord]) -> None:
    for record in records:
        lost = [path for path in record.files if not os.path.exists(path)]
        if lost:
            raise ComponentError(
                f"'{lost[0]}', which the task '{record.task}' had written, was gone when the tasks had ended",
                fix="find out which other task removes it; each needs a place of its own to write",
            )


def _refuse_impossible(launcher: Launcher, tasks: Sequence[Task]) -> None:
    for task in tasks:
        problem = launcher.problem_with(task)
        if problem is not None:
            raise ComponentError(f"task '{task.name}' can never be run here: {problem}")


def _refuse_shared_outputs(tasks: Sequence[Task]) -> None:
    """No task may write what another writes, or a folder around it: neither could be told from the other's."""
    around, owner = "\0", ""
    for path, name in sorted((os.path.abspath(path) + os.sep, task.name) for task in tasks for path in task.outputs):
        if not path.startswith(around):
            around, owner = path, name
        elif name != owner:
            message = f"the tasks '{owner}' and '{name}' would both write '{path.rstrip(os.sep)}'"
            raise ComponentError(message, fix="give each its own outputs")


def _refuse_secret_arguments(tasks: Sequence[Task], of_config: Collection[str]) -> None:
    """No task may have an argument for its eyes only: all users of the machine see it in the list of processes."""
    for task in tasks:
        whose = secret_argument(task.argv, of_config)
        if whose is not None:
            message = f"the arguments of task '{task.name}' hold {whose}, and all users of the machine see them"
            raise ComponentError(message, fix="hand it over through the task's env or keep_env")


def _folder_name(name: str) -> str:
    """`name`, or the beginning of it with a digest where it is too long for a folder's."""
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) <= _LONGEST_NAME:
        return name
    return f"{raw[: _LONGEST_NAME // 2].decode('utf-8', 'ignore')}-{hashlib.sha256(raw).hexdigest()[:12]}"


def _logger(parent: logging.Logger, name: str) -> logging.Logger:
    """A logger that writes where `parent` does, and says for which task."""
    logger = logging.Logger(f"{parent.name}.{name}", parent.level)
    logger.parent = parent

    def name_task(record: logging.LogRecord) -> bool:
        record.msg, record.args = f"[{name}] {record.getMessage()}", ()
        return True

    logger.addFilter(name_task)
    return logger
