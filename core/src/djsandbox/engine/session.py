"""What all jobs of one run share."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from djsandbox.config.model import SandboxConfig
from djsandbox.engine.folders import Folders
from djsandbox.engine.planned import Plan
from djsandbox.engine.reuse import Reuse
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import History
from djsandbox.journal.journal import Journal
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.redact import secrets_in
from djsandbox.watch.watcher import SandboxWatcher


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
    executed: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    running: list[Mapping[str, Any]] = field(default_factory=list)
    """What identifies the job that runs now, in the journal."""

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


def open_session(plan: Plan, manager: SandboxPluginManager) -> Session:
    """Open the work_dir of `plan` for a new run; what the last one left in the cache stays only when this one resumes."""
    config = plan.config
    journal = Journal(config.work_dir)
    history = History(journal.events())
    run_id = f"run_{len(history.runs()) + 1:04d}"
    folders = Folders(config.work_dir)
    fingerprints = Fingerprints(folders.fingerprints)
    watcher = SandboxWatcher(config.work_dir, notify=manager.notify)
    if not config.resume and folders.cache.is_dir():
        shutil.rmtree(folders.cache)
    reuse = Reuse(history, fingerprints, watcher, run_id, config.resume)
    return Session(plan, manager, journal, history, fingerprints, watcher, reuse, run_id, _secrets(config))


def _secrets(config: SandboxConfig) -> frozenset[str]:
    """Values of the config that must not be written down, wherever they turn up."""
    found = secrets_in(config.positions.data if config.positions else {})
    for job in config.jobs():
        for block in (job.dj_configs, job.extra_configs):
            found |= secrets_in(block.document.data if block.document else {})
        found |= secrets_in({value.target.text.rpartition(".")[2]: value.value for value in job.local})
    return found
