"""The tracker: hands what happens to a process that mirrors it to W&B."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from djsandbox import ComponentConfig, Finding, RunEvent, SandboxError, TrackedMetric, TrackedTable, Tracker
from pydantic import Field

from djsandbox_wandb.account import has_key, mode, server

TRIAL_VARIABLE = "DJSANDBOX_WANDB_TRIAL"
"""What the sweeper tells the tracker of a trial: the run that W&B's server has made for it, as JSON."""

_WORKER = Path(__file__).with_name("worker.py")


class WandbTracker(Tracker):
    """Mirrors metrics, configs, tables and context to Weights & Biases."""

    class Config(ComponentConfig):
        """What a `tracker` key says beside its type."""

        mode: Literal["auto", "online", "offline"] = "auto"
        """`auto`: online where there is a key and a network, else offline; `offline`: to files only; `online`: demand a key."""
        entity: str | None = None
        """The W&B team or user; your default one where left out."""
        project: str | None = None
        """The W&B project; `project_name` of the config where left out."""
        group: str | None = None
        """What the trials of a sweep are grouped under; `experiment_name` of the config where left out."""
        tags: list[str] = Field(default_factory=list)
        """Tags of the W&B run."""
        notes: str | None = None
        """A description of the W&B run."""
        system_metrics: bool = False
        """Whether W&B also records the load of the machine, its GPUs included."""
        init_timeout: float = Field(default=5.0, gt=0)
        """Seconds to wait for the server before the run is mirrored to files only."""
        patience: float = Field(default=10.0, ge=0)
        """Seconds for which the end of a run waits for the upload; what is not uploaded then stays in the files."""

    def __init__(self, config: ComponentConfig) -> None:
        super().__init__(config)
        self._process: subprocess.Popen[str] | None = None
        self._trial: dict[str, Any] = {}
        self._where: dict[str, Any] = {}
        self._home = Path()
        self._log = Path()

    def check(self) -> Iterable[Finding]:
        """Say where `mode: online` cannot be."""
        if self.config.mode == "online" and not has_key():
            fix = "wandb login, or set WANDB_API_KEY; 'mode: auto' mirrors to files until then"
            yield Finding(("mode",), f"'mode: online' needs a W&B key for {server()}, and there is none", fix)

    @property
    def patience(self) -> float:
        """Seconds for which the end of the run waits; a trial of W&B's own sweep has to get its result there."""
        patience = float(self.config.patience) + (0.0 if self._where else float(self.config.init_timeout))
        return max(patience, 60.0) if self._trial else patience

    def start(self, run: RunEvent) -> None:
        """Start the process that mirrors; it says by itself where to."""
        given = os.environ.get(TRIAL_VARIABLE)
        self._trial = json.loads(given) if given and run.trial is not None else {}
        how, reason = mode("online" if self._trial else self.config.mode)
        if how == "disabled":
            self.tell(f"W&B: nothing is mirrored ({reason})")
            return
        self._home = run.home
        self._log = run.home / "logs" / f"wandb_{run.run_id}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own worker, with our own interpreter
                [sys.executable, "-P", str(_WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the run, which then tells how it ended
            )
        self._send(**self._beginning(run), mode=how, reason=reason)
        threading.Thread(target=self._listen, args=(self._process.stdout, run), daemon=True).start()
        if run.values:
            self._send(what="values", values=dict(run.values))

    def log_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Add a config to that of the W&B run."""
        self._send(what="config", name=name, config=config)

    def log_metric(self, metric: TrackedMetric) -> None:
        """Log a value under its own name."""
        self._send(what="metric", name=metric.name, value=metric.value, step=metric.step, iteration=metric.iteration)

    def log_table(self, table: TrackedTable) -> None:
        """Log a table."""
        self._send(what="table", title=table.title, columns=table.columns, rows=table.rows, notes=table.notes)

    def log_context(self, context: Mapping[str, Any], iteration: int) -> None:
        """Put the outputs of jobs into the summary, and all of the context into a file of the W&B run."""
        self._send(what="context", context=context, iteration=iteration)

    def finish(self, status: str) -> None:
        """End the W&B run, and wait until it is uploaded."""
        process = self._process
        if process is None or process.stdin is None:
            return
        self._send(what="finish", status=status)
        process.stdin.close()
        process.wait()

    def abandon(self) -> None:
        """Kill the process; what it has not uploaded is in its files."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        path = self._where.get("path") or f"{self._home / 'wandb'}/*run-*"
        if self._where.get("mode") == "offline":
            self.tell(f"W&B: not all was written to {path} when the run ended; 'patience' is how long that waits")
            return
        self.tell(f"W&B: the upload was not finished when the run ended; to go on with it: wandb sync --include-online {path}")

    def _beginning(self, run: RunEvent) -> dict[str, Any]:
        config = self.config
        kind = "trial" if run.trial is not None else "sweep" if run.is_sweep else "run"
        name = {"trial": f"{run.experiment_name}-trial-{run.trial}", "sweep": f"{run.experiment_name}-sweep"}
        init = {
            "project": project_name(config.project or run.project_name),
            "entity": config.entity,
            "name": name.get(kind, run.experiment_name),
            "group": config.group or run.experiment_name,
            "job_type": kind,
            "tags": config.tags or None,
            "notes": config.notes,
        }
        environment = {}
        if self._trial:  # the run is W&B's: what its agents set for those whom they start
            names = {"sweep_id": "SWEEP_ID", "run_id": "RUN_ID", "entity": "ENTITY", "project": "PROJECT"}
            environment = {f"WANDB_{name}": self._trial[key] for key, name in names.items() if self._trial[key]}
            init.update(project=None, entity=None, resume="allow")
        return {
            "environment": environment,
            "dir": os.path.abspath(run.home),
            "init": {key: value for key, value in init.items() if value is not None},
            "init_timeout": config.init_timeout,
            "system_metrics": config.system_metrics,
        }

    def _listen(self, answers: IO[str] | None, run: RunEvent) -> None:
        if answers is None:
            return
        with answers:
            for line in answers:
                answer = json.loads(line)
                if "failure" in answer:
                    self.tell(f"W&B: not all is mirrored: {answer['failure']}; see {self._log}")
                else:
                    self._begun(answer, run)

    def _begun(self, where: dict[str, Any], run: RunEvent) -> None:
        self._where = where
        if where["mode"] == "online":
            self.tell(f"W&B: {where['url']}")
        else:
            runs = f"{run.home / 'wandb'}/offline-run-*" if run.is_sweep or run.trial is not None else where["path"]
            self.tell(f"W&B: offline, {where['reason']}; to upload it afterwards: wandb sync {runs}")

    def _send(self, **fields: Any) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(json.dumps(fields) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise SandboxError("the process that mirrors to W&B has ended", fix=f"its output: {self._log}") from error


def project_name(name: str) -> str:
    """`name` as W&B takes it for a project."""
    return re.sub(r"[/\\#?%:]", "-", name)[:128]
