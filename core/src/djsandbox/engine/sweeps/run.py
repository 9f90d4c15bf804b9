"""Running a sweep: asking for trials, running them, telling what they gave, until there are enough."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox.components.sweeper import Trial, TrialResult
from djsandbox.config.include import read_mapping
from djsandbox.engine.folders import Folders
from djsandbox.engine.launching.choice import choose
from djsandbox.engine.planned import Plan
from djsandbox.engine.recorded import recorded_run
from djsandbox.engine.session import Session, open_session, shared_folder
from djsandbox.engine.signals import is_interrupted, signals_interrupt
from djsandbox.engine.stopping import USUAL_GRACE
from djsandbox.engine.sweeps.best import best_of, write_best
from djsandbox.engine.sweeps.clearing import BEST, clear_old_sweep, take_over_context
from djsandbox.engine.sweeps.comparable import basis_of
from djsandbox.engine.sweeps.early_termination import EarlyTermination
from djsandbox.engine.sweeps.guarded import GuardedSweeper
from djsandbox.engine.sweeps.planned import PlannedSweep
from djsandbox.engine.sweeps.processes import Ended, Said, TrialProcesses
from djsandbox.engine.sweeps.record import SweepRecord, sweep_to_go_on_with
from djsandbox.engine.sweeps.request import TrialRequest
from djsandbox.engine.sweeps.result import SweepResult
from djsandbox.engine.sweeps.table import trial_table
from djsandbox.engine.trackers import teller
from djsandbox.errors import ConfigError, PluginError, SandboxError
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.lock import WorkDirLock
from djsandbox.journal.values import encode
from djsandbox.plugins.events import Status, TrialEvent
from djsandbox.plugins.manager import SandboxPluginManager

_MOST_INITIAL_FAILURES = 3


def run_sweep(plan: Plan, manager: SandboxPluginManager) -> SweepResult:
    """Run the sweep of `plan`, or go on with the last one where the config resumes.

    ConfigError when the work_dir cannot be used, or holds a sweep over something else to go on with; SandboxError when no
    trial succeeds. KeyboardInterrupt (Ctrl-C or SIGTERM) passes on when what was interrupted has been journalled.
    """
    assert plan.sweep is not None  # noqa: S101
    started = time.monotonic()
    with WorkDirLock(plan.config.work_dir):
        session = open_session(plan, manager)
        plan.sweep.sweeper.notice = teller(manager)
        sweeper = GuardedSweeper(plan.sweep.sweeper)
        run = _SweepRun(session, plan.sweep, _record(session, plan), _processes(session, plan.sweep), sweeper)
        with run.stoppable(), signals_interrupt(run.note_interrupted, session.stoppables), recorded_run(session) as event:
            content = read_mapping(plan.sweep.config.file).data
            session.watcher.setup_sweep(content, plan.config.project_name)
            manager.notify("djsandbox_sweep_started", run=event, sweep=content)
            run.search()
            best, path = run.conclude()
    return SweepResult(
        run_id=session.run_id,
        work_dir=plan.config.work_dir,
        trials=tuple(run.record.results),
        best=best,
        best_config=path,
        tables=tuple(session.watcher.tables()),
        seconds=time.monotonic() - started,
    )


def _record(session: Session, plan: Plan) -> SweepRecord:
    """The sweep to go on with, or a new one, for which what others have left is cleared away."""
    folders = session.folders(1)
    fingerprints = Fingerprints(folders.sweep_fingerprints)
    basis = basis_of(plan, fingerprints)
    found = sweep_to_go_on_with(plan, session.journal, basis)
    if found is None:
        clear_old_sweep(folders, shared_folder(folders.sweep), basis.data, fingerprints)
    fingerprints.save()
    return found or SweepRecord(session.run_id, basis)


def _processes(session: Session, sweep: PlannedSweep) -> TrialProcesses:
    config = session.config
    chosen = [part.launcher for job in session.plan.jobs for part in job.parts]
    if config.launcher is not None:
        chosen.append(choose(config.launcher, config.folder, []))
    longest = max((one.make().grace for one in chosen if one is not None), default=USUAL_GRACE)
    return TrialProcesses(session.folders(1).processes, session.secrets, sweep.config.parallel, longest)


@dataclass(slots=True)
class _SweepRun:
    session: Session
    sweep: PlannedSweep
    record: SweepRecord
    processes: TrialProcesses
    sweeper: GuardedSweeper
    running: dict[int, Trial] = field(default_factory=dict)
    last_values: dict[int, list[float]] = field(default_factory=dict)
    stopping: set[int] = field(default_factory=set)
    said: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    is_exhausted: bool = False
    failures: int = 0
    early: EarlyTermination | None = None

    def search(self) -> None:
        """Run trials until there are enough, or nothing is left to try."""
        session, record = self.session, self.record
        for run_id in dict.fromkeys(event["run_id"] for event in record.details.values()):
            session.watcher.adopt(run_id)
        if self.sweep.config.early_terminate is not None:
            goal = self.sweep.config.metric.goal
            self.early = EarlyTermination(self.sweep.config.early_terminate, goal, record.reports)
        session.journal.append("sweep_started", run_id=session.run_id, sweep=record.name, **record.basis.to_fields())
        session.folders(1).sweep.mkdir(parents=True, exist_ok=True)
        self.sweeper.open(record.name, record.results)
        try:
            self._search()
        except BaseException:
            for number in list(self.processes.stop_all()):
                self._journal("trial_interrupted", number)
                self._notify(number, "interrupted")
            with contextlib.suppress(PluginError):  # what ended the sweep is what has to be said
                self.sweeper.close()
            raise
        self.sweeper.close()

    def stoppable(self) -> contextlib.AbstractContextManager[None]:
        """While open, the trials are among what must not outlive the run."""
        return self.session.stoppables.registered(self.processes.stop_at_once, self.processes.grace)

    def note_interrupted(self) -> None:
        """Journal that the run ends here; for when it cannot end by itself."""
        for number in list(self.running):
            self._journal("trial_interrupted", number)
        self.session.note_interrupted()

    def conclude(self) -> tuple[TrialResult, Path]:
        """The best trial and its config; records the table of all."""
        best = best_of(self.record.results, self.sweep.objective)
        if best is None:
            raise SandboxError(
                f"none of the {len(self.record.results)} trials came to its end with a value", fix=self._last_log()
            )
        path = self._write_best(best)
        watcher = self.session.watcher.bind("", "sweep", self.session.run_id, self.session.run_id, 0)
        watcher.watch_table(**trial_table(self.record.results, self.sweep))
        return best, path

    def _search(self) -> None:
        while True:
            while self._may_begin():
                trial = self.sweeper.ask(self.running.keys() | self.record.details.keys())
                if trial is None:
                    self.is_exhausted = True
                else:
                    self._begin(trial)
            if not self.running:
                return
            event = self.processes.events.get()
            if isinstance(event, Said):
                self._hear(event)
            else:
                self._end(event)

    def _may_begin(self) -> bool:
        config, objective = self.sweep.config, self.sweep.objective
        if self.is_exhausted or len(self.running) >= config.parallel:
            return False
        if any(one.status == "done" and objective.is_reached(one.value or 0.0) for one in self.record.results):
            return False
        return config.max_trials is None or len(self.record.results) + len(self.running) < config.max_trials

    def _begin(self, trial: Trial) -> None:
        number, session = trial.number, self.session
        goes_on = number in self.record.begun
        request = TrialRequest(
            file=str(session.config.file),
            settings=list(session.config.settings),
            options=dict(session.config.options),
            path=list(sys.path),
            number=number,
            local=[
                [job_id, one.target.text, one.value, one.where.file, one.where.line, one.if_there]
                for job_id, values in self.sweep.values_of(trial.values).items()
                for one in values
            ],
            metric=self.sweep.objective.to_data(),
            values=dict(trial.values),
            folder=str(session.folders(1).sweep),
            work_dir=str(self._work_dir(number)),
            basis=self.record.basis.to_fields(),
            resume=goes_on,
        )
        self.running[number] = trial
        self.last_values[number] = []
        self._journal("trial_started", number, values=dict(trial.values), resumed=goes_on)
        self._notify(number, "running")
        self.processes.start(request, self._log(number), self.sweeper.environment(trial))

    def _hear(self, event: Said) -> None:
        number, kind = event.number, event.fields["event"]
        if kind in ("ended", "failed"):
            self.said[number] = event.fields
        elif kind == "metric" and self.early is not None:
            values = self.last_values[number]
            values.append(event.fields["value"])
            self._journal("trial_reported", number, step=len(values), value=values[-1])
            self.sweeper.report(self.running[number], len(values), values[-1])
            if self.early.report(number, len(values), values[-1]) and number not in self.stopping:
                self.stopping.add(number)
                self.processes.stop(number)

    def _end(self, event: Ended) -> None:
        number = event.number
        self.processes.forget(number)
        said = self.said.pop(number, {})
        if is_interrupted():
            raise KeyboardInterrupt
        if said.get("ends_sweep"):
            self.running.pop(number)
            raise ConfigError(str(said["error"]))
        result, error = self._result(number, event, said)
        self._journal(
            "trial_finished", number, values=dict(result.trial.values), status=result.status, value=result.value, error=error,
            executed=said.get("executed"), reused=said.get("reused"), seconds=round(event.seconds, 3),
            left_out=said.get("left_out"),
        )  # fmt: skip
        self.sweeper.tell(result)
        watcher = self.session.watcher.bind("", "sweep", self.session.run_id, self.session.run_id, 0)
        if result.value is not None:
            watcher.watch({"value": result.value, "parameters": dict(result.trial.values)}, step=number)
        self._notify(number, result.status, result.value, event.seconds, error)
        del self.running[number]
        best = best_of(self.record.results, self.sweep.objective)
        if best is not None and best.trial.number == number:
            self._write_best(best)
        self.failures += result.status == "failed"
        if best is None and said.get("never_recorded"):
            raise SandboxError(f"trial {number} ran to its end, and yet failed: {error}", fix=self._last_log())
        if best is None and self.failures >= _MOST_INITIAL_FAILURES:
            raise SandboxError(f"the first {self.failures} trials failed, the last because of: {error}", fix=self._last_log())

    def _result(self, number: int, event: Ended, said: Mapping[str, Any]) -> tuple[TrialResult, str | None]:
        trial, values = self.running[number], self.last_values[number]
        if said.get("event") == "ended":
            return TrialResult(trial, "done", said["value"]), None
        if number in self.stopping and values:
            return TrialResult(trial, "stopped", values[-1]), None
        return TrialResult(trial, "failed", None), str(
            said.get("error") or event.error or f"it ended without a word; its output: {self._log(number)}"
        )

    def _write_best(self, best: TrialResult) -> Path:
        config, folders = self.session.config, self.session.folders(1)
        path = folders.work_dir / BEST
        left_out = {tuple(one) for one in self.record.details[best.trial.number].get("left_out") or ()}
        write_best(config, self.sweep, best, len(self.record.results), path, left_out)
        take_over_context(Folders(self._work_dir(best.trial.number)), folders)
        return path

    def _work_dir(self, number: int) -> Path:
        return self.session.config.work_dir / f"trial_{number}"

    def _journal(self, event: str, number: int, **fields: Any) -> None:
        plain = encode(fields, name=event)
        identity = {"run_id": self.session.run_id, "sweep": self.record.name, "trial": number}
        self.record.note(self.session.journal.append(event, **identity, **plain))

    def _notify(
        self,
        number: int,
        status: Status,
        value: float | None = None,
        seconds: float | None = None,
        error: str | None = None,
    ) -> None:
        trial = self.running[number]
        event = TrialEvent(
            number, dict(trial.values), status, value, seconds, error, self._log(number), len(self.record.results)
        )
        what = "started" if status == "running" else "finished"
        self.session.manager.notify(f"djsandbox_trial_{what}", trial=event)

    def _log(self, number: int) -> Path:
        return self.session.config.work_dir / "logs" / f"trial_{number}" / f"{self.session.run_id}.log"

    def _last_log(self) -> str | None:
        return f"details: {self._log(self.record.results[-1].trial.number)}" if self.record.results else None
