"""One trial, in a process of its own: a run like any other that tells its parent, line by line, how it goes."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from djsandbox.context.infos import ContextInfos
from djsandbox.engine.plan import make_plan
from djsandbox.engine.run import run_plan
from djsandbox.engine.sweeps.objective import Objective
from djsandbox.engine.sweeps.request import TrialRequest
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

    @hookimpl
    def djsandbox_job_started(self, job: JobEvent) -> None:
        """Say which job works now."""
        self.tell(event="job", job=job.meta_name or job.hook)

    @hookimpl
    def djsandbox_metrics_logged(self, name: str, value: Any) -> None:
        """Pass a value of the metric on."""
        if name == self._objective.watched and isinstance(value, (int, float)):
            self.tell(event="metric", value=float(value))

    def tell(self, **fields: Any) -> None:
        """Write one line to the parent; where it is gone, the supervisor ends us."""
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def main() -> int:
    """Run the trial that the environment describes; returns the exit code."""
    # While a job works, what is printed goes to its log: the parent keeps listening to this one.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as stream:
        request = TrialRequest.taken()
        sys.path[:] = request.path
        reporter = Reporter(Objective.from_data(request.metric), stream)
        try:
            reporter.tell(event="ended", **_run(request, reporter))
        except SandboxError as error:
            reporter.tell(event="failed", error=str(error), is_config=error.exit_code != SandboxError.exit_code)
            return error.exit_code
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


def _run(request: TrialRequest, reporter: Reporter) -> dict[str, Any]:
    manager = SandboxPluginManager()
    manager.register(reporter, "trial-reporter")
    plan = make_plan(request.config())
    manager.notify("djsandbox_config_loaded", config=plan.config)
    result = run_plan(plan, manager, request.scope())
    value = Objective.from_data(request.metric).value(ContextInfos.from_dict(result.context), SandboxWatcher(result.work_dir))
    return {"value": value, "executed": len(result.executed), "reused": len(result.reused)}


if __name__ == "__main__":
    sys.exit(main())
