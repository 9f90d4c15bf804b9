"""What all jobs of one run share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from djsandbox.config.model import SandboxConfig
from djsandbox.engine.folders import Folders
from djsandbox.engine.leftovers import wait_for_leftovers
from djsandbox.engine.planned import Plan
from djsandbox.engine.prepare import PreparedJob
from djsandbox.engine.reuse import Decision, Reuse
from djsandbox.engine.secrecy import secrets_of
from djsandbox.engine.sharing import SharedResult, SharedResults
from djsandbox.engine.stopping import Stoppables
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import History, JobRecord
from djsandbox.journal.journal import Journal
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.redact import secrets_in_environment
from djsandbox.watch.watcher import SandboxWatcher


@dataclass(frozen=True, slots=True)
class TrialScope:
    """Which trial of a sweep a run is, the folder that it shares with the others, and its values by parameter."""

    number: int
    folder: Path
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """The record of a work_dir, open for one run, and who is told of it; `executed` and `reused` grow with the run."""

    plan: Plan
    manager: SandboxPluginManager
    journal: Journal
    history: History
    fingerprints: Fingerprints
    watcher: SandboxWatcher
    reuse: Reuse
    run_id: str
    secrets: frozenset[str]
    trial: TrialScope | None = None
    config_secrets: frozenset[str] = frozenset()
    """Those of `secrets` that the config has; the others are the environment's."""
    executed: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    running: list[Mapping[str, Any]] = field(default_factory=list)
    """What identifies the job that runs now, in the journal."""
    stoppables: Stoppables = field(default_factory=Stoppables)
    """The process trees that must not outlive the run."""

    def note_interrupted(self) -> None:
        """Journal that the run ends here; for when it cannot end by itself."""
        for identity in self.running:
            self.journal.append("job_interrupted", **identity)
        self.journal.append("run_finished", run_id=self.run_id, status="interrupted")

    @property
    def config(self) -> SandboxConfig:
        """The config that is run."""
        return self.plan.config

    def folders(self, iteration: int) -> Folders:
        """The folders of an iteration."""
        return Folders(self.config.work_dir, iteration if self.config.is_iterated else None)

    def folders_of(self, decision: Decision) -> Folders:
        """The folders of the iteration, perhaps of another trial, that made a result."""
        made = decision.record.iteration if decision.record else 1
        if decision.shared is None:
            return self.folders(made)
        return replace(self.folders(made), work_dir=decision.shared.work_dir)

    @contextlib.contextmanager
    def holding(self, prepared: PreparedJob) -> Iterator[None]:
        """While open, no other trial of the sweep makes the result of this job."""
        shared = self.reuse.shared
        if shared is None or not (prepared.deterministic and prepared.planned.job.reuse):
            yield
            return
        with shared.hold(prepared.key):
            yield

    def share(self, prepared: PreparedJob, record: JobRecord) -> None:
        """Let other trials of the sweep take over a result, where they would get the same."""
        is_settled = record.key == prepared.key and prepared.planned.job.reuse
        if self.reuse.shared is not None and record.deterministic and is_settled:
            watched = self.watcher.recorded_in(record.attempt)
            self.reuse.shared.put(SharedResult(record, self.config.work_dir, watched))


def open_session(plan: Plan, manager: SandboxPluginManager, trial: TrialScope | None = None) -> Session:
    """Open the work_dir of `plan` for a new run; the last one's cache and contexts stay only when this one resumes."""
    config = plan.config
    wait_for_leftovers(Folders(config.work_dir).processes)
    journal = Journal(config.work_dir)
    history = History(journal.events())
    run_id = f"run_{len(history.runs()) + 1:04d}"
    folders = Folders(config.work_dir)
    known = folders.fingerprints
    shared = None
    if trial is not None:
        run_id = f"trial_{trial.number}_{run_id}"
        known = trial.folder / known.name
        shared = SharedResults(shared_folder(trial.folder))
    fingerprints = Fingerprints(known)
    own = secrets_of(config)
    hidden = own | secrets_in_environment()
    watcher = SandboxWatcher(config.work_dir, notify=manager.notify, secrets=hidden)
    for left in () if config.resume else (folders.cache, folders.contexts):
        shutil.rmtree(left, ignore_errors=True)
    reuse = Reuse(history, fingerprints, watcher, run_id, config.resume, shared)
    return Session(plan, manager, journal, history, fingerprints, watcher, reuse, run_id, hidden, trial, config_secrets=own)


def shared_folder(sweep: Path) -> Path:
    """Where, in the folder of a sweep, its trials keep the results that they share."""
    return sweep / "shared"
