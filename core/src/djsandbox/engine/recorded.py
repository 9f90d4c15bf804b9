"""The frame of every run: its beginning and end in the journal, the watcher and the plugins."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator
from typing import Any

from djsandbox.engine.session import Session
from djsandbox.engine.trackers import tracked
from djsandbox.journal.keys import content_key
from djsandbox.plugins.events import RunEvent, Status


@contextlib.contextmanager
def recorded_run(session: Session) -> Iterator[RunEvent]:
    """Record that the run of `session` begins, and at the end how it ended."""
    config = session.config
    trial = session.trial.number if session.trial else None
    run = RunEvent(
        session.run_id, config.work_dir, config.project_name, config.experiment_name, config.file, trial,
        values=session.trial.values if session.trial else {},
        sweep_dir=session.trial.folder.parent if session.trial else None,
        is_sweep=session.plan.sweep is not None,
    )  # fmt: skip
    session.journal.append("run_started", **_fields(session))
    session.watcher.start(session.run_id)
    with tracked(config, session.manager, run) as following:
        session.watcher.watch_cfgs([(dict(config.positions.data) if config.positions else {}, "sandbox")])
        session.manager.notify("djsandbox_run_started", run=run)
        status: Status = "failed"
        try:
            yield run
            status = "done"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            session.fingerprints.save()
            session.journal.append("run_finished", run_id=session.run_id, status="finished" if status == "done" else status)
            session.watcher.flush()
            session.manager.notify("djsandbox_run_finished", run=run, status=status)
            following.status = status


def _fields(session: Session) -> dict[str, Any]:
    config = session.config
    plugins = {
        (origin.distribution, origin.version)
        for planned in session.plan.jobs
        for origin in (planned.hook_origin, *planned.origins)
        if origin.distribution
    }
    data = config.positions.data if config.positions else {}
    return {
        "run_id": session.run_id,
        "config_file": str(config.file),
        "config_digest": content_key({"config": repr(data)}),
        "versions": {"djsandbox": importlib.metadata.version("djsandbox"), **dict(sorted(plugins))},
        "resume": config.resume,
    }
