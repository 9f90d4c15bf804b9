"""One trial, in a process of its own: a run like any other that tells its parent, line by line, how it goes."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from djsandbox.context.infos import ContextInfos
from djsandbox.engine.plan import make_plan
from djsandbox.engine.run import run_plan
from djsandbox.engine.sweeps.applied import left_out
from djsandbox.engine.sweeps.comparable import refuse_changes
from djsandbox.engine.sweeps.objective import NeverRecordedError, Objective
from djsandbox.engine.sweeps.request import ConfigChangedError, TrialRequest
from djsandbox.errors import SandboxError
from djsandbox.plugins.events import JobEvent
from djsandbox.plugins.hookspecs import hookimpl
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.watch.watcher import SandboxWatcher

_INTERRUPTED = 130


class Reporter:
    """A plugin that tells the parent which job works and what the metric is, as JSON lines."""

    def __init__(self, objective: Objective, stream: TextIO) -> None:
        self._objective = objective
        self._stream = stream
        self._one_at_a_time = threading.Lock()  # metrics come from the threads that read logs, too

    @hookimpl
    def djsandbox_job_started(self, job: JobEvent) -> None:
        """Say which job works now."""
        self.tell(event="job", job=job.meta_name or job.hook)

    @hookimpl
    def djsandbox_metrics_logged(self, name: str, value: Any, job_id: str) -> None:
        """Pass a value of the metric on."""
        if self._objective.is_reported_by(name, job_id) and isinstance(value, (int, float)):
            self.tell(event="metric", value=float(value))

    def tell(self, **fields: Any) -> None:
        """Write one line to the parent; where it is gone, the supervisor ends us."""
        with self._one_at_a_time:
            self._stream.write(json.dumps(fields) + "\n")
            self._stream.flush()


def main(orders: int, answers: int) -> int:
    """Run the trial that comes through the pipe `orders`, and answer through `answers`; returns the exit code."""
    for pipe in (orders, answers):
        os.set_inheritable(pipe, False)
    with os.fdopen(orders, encoding="utf-8") as stream:
        request = TrialRequest.from_json(stream.read())
    sys.path[:] = request.path
    with os.fdopen(answers, "w", encoding="utf-8") as stream:
        reporter = Reporter(Objective.from_data(request.metric), stream)
        try:
            reporter.tell(event="ended", **_run(request, reporter))
        except SandboxError as error:
            is_changed, is_unrecorded = isinstance(error, ConfigChangedError), isinstance(error, NeverRecordedError)
            reporter.tell(event="failed", error=str(error), ends_sweep=is_changed, never_recorded=is_unrecorded)
            return error.exit_code
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


def _run(request: TrialRequest, reporter: Reporter) -> dict[str, Any]:
    manager = SandboxPluginManager()
    manager.register(reporter, "trial-reporter")
    plan = make_plan(request.config())
    refuse_changes(request.basis, plan, Path(request.folder).parent)
    manager.notify("djsandbox_config_loaded", config=plan.config)
    result = run_plan(plan, manager, request.scope())
    refuse_changes(request.basis, plan, Path(request.folder).parent)  # data that was changed meanwhile
    value = Objective.from_data(request.metric).value(ContextInfos.from_dict(result.context), SandboxWatcher(result.work_dir))
    executed, reused = len(result.executed), len(result.reused)
    return {"value": value, "executed": executed, "reused": reused, "left_out": left_out(plan, result)}


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
