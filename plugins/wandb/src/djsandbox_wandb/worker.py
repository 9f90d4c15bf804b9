"""Mirrors one run to W&B: a program of its own, told line by line (JSON) through its stdin what to mirror.

W&B's library changes the environment, starts a service, captures signals and waits for the network: here none of that is the
run's. The first line says what to begin with, and is answered on stdout by one that says where the run is mirrored to.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TextIO

_NOT_OURS = ("WANDB_MODE", "WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH")
_MOST_LEAVES, _LONGEST_TEXT, _LONGEST_LIST = 1000, 300, 20
_MOST_WAITING = 1000
_SECONDS_BETWEEN_LOOKS = 1.0
_PATIENCE_AT_EXIT = 1.0
_PATIENCE_ALONE = 30.0
"""Seconds in which a mirror whose run was killed has to end."""


class Mirror:
    """A W&B run that is being written."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._known: set[str] = set()
        self._row: dict[str, Any] = {}

    def metric(self, name: str, value: Any, step: int | None, iteration: int) -> None:
        """Log a value; with a step, charts have it as their axis, and what was measured in it is one row."""
        if step is None:
            self.flush()
            self._run.log({name: value, "iteration": iteration})
            return
        if name not in self._known:
            self._known.add(name)
            self._run.define_metric(name.replace("\\", "\\\\").replace(".", "\\."), step_metric="step")
        at = {"iteration": iteration, "step": step}
        if name in self._row or any(self._row.get(key) != value for key, value in at.items()):
            self.flush()
            self._row = at
        self._row[name] = value

    def flush(self) -> None:
        """Log the row that is being gathered."""
        row, self._row = self._row, {}
        if row:
            self._run.log(row)

    def config(self, name: str, config: Mapping[str, Any]) -> None:
        """Add a config."""
        self._run.config.update({name: config}, allow_val_change=True)

    def values(self, values: Mapping[str, Any]) -> None:
        """Add the parameters of a trial."""
        self._run.config.update(dict(values), allow_val_change=True)

    def table(self, title: str, columns: list[str | int], rows: list[list[Any]], notes: list[str]) -> None:
        """Log a table, its notes as a text of the summary."""
        import wandb  # noqa: PLC0415

        self.flush()
        key = "tables/" + re.sub(r"[^\w ,.=()+-]+", "-", title).strip("- ")[:100]
        data = [[_cell(cell) for cell in row] for row in rows]
        self._run.log({key: wandb.Table(columns=columns, data=data, allow_mixed_types=True)})
        if notes:
            self._run.summary[f"{key} notes"] = "\n".join(notes)

    def context(self, context: Mapping[str, Any], iteration: int) -> None:
        """Put the outputs of jobs into the summary, as `pipeline.meta_name.output`, and the whole beside it as a file."""
        for name, value in list(_outputs(context))[:_MOST_LEAVES]:
            self._run.summary[name] = value
        path = Path(self._run.dir) / "context_infos.json"
        path.write_text(json.dumps(context, indent=2, ensure_ascii=False), encoding="utf-8")
        self._run.save(str(path), base_path=self._run.dir, policy="now")

    def finish(self, status: str) -> None:
        """End the W&B run."""
        self.flush()
        self._run.summary["status"] = status
        self._run.finish(exit_code=0 if status == "done" else 1)


def main() -> int:
    """Mirror until there is nothing more to be told; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints goes to the log
    for name in list(os.environ):
        if name in _NOT_OURS or (name.startswith("WANDB_") and not os.environ[name]):
            del os.environ[name]
    told: queue.Queue[str] = queue.Queue(_MOST_WAITING)
    parent = os.getppid()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    first = json.loads(told.get())
    os.environ.update(first["environment"])
    run, answer = _begin(first)
    _say(answers, **answer)
    mirror = Mirror(run)
    if not _mirror(mirror, told, parent, answers):
        end = threading.Timer(_PATIENCE_ALONE, os._exit, [1])
        end.daemon = True
        end.start()
        mirror.finish("killed")
    return 0


def _listen(told: queue.Queue[str]) -> None:
    for line in sys.stdin:
        told.put(line)
    told.put("")


def _mirror(mirror: Mirror, told: queue.Queue[str], parent: int, answers: TextIO) -> bool:
    """Mirror what is told until the run has finished, or False where it was killed; the first failure is answered."""
    has_failed = False
    while True:
        try:
            line = told.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            mirror.flush()
            if os.getppid() != parent:  # stdin need not end then: whom the run has forked may hold it
                return False
            continue
        if not line:
            return False
        fields = json.loads(line)
        what = fields.pop("what")
        failure = _failure(getattr(mirror, what), fields)
        if failure and not has_failed:
            has_failed = True
            _say(answers, failure=failure)
        if what == "finish":
            return True


def _close() -> None:
    """End the library's service, which waits for what could not be sent: not for long, it is in the files."""
    import wandb  # noqa: PLC0415

    wandb.teardown()


def _failure(method: Any, fields: Mapping[str, Any]) -> str:
    """What W&B refuses when it is told this, which is not the end of the mirror; "" where it takes it."""
    try:
        method(**fields)
    except Exception as error:
        what = f"{method.__name__} {fields.get('name') or fields.get('title') or ''}".strip()
        sys.stderr.write(f"not mirrored: {what}: {type(error).__name__}: {error}\n")
        return f"{what}: {' '.join(str(error).split())[:200] or type(error).__name__}"
    return ""


def _say(answers: TextIO, **fields: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the run was killed
        answers.write(json.dumps(fields) + "\n")
        answers.flush()


def _begin(told: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A W&B run, where it may be online else offline, and what to say of it."""
    reason = told["reason"]
    if told["mode"] == "online":
        try:
            run = _init(told, "online")
        except Exception as error:
            said = " ".join(str(error).split("\nConsider increasing")[0].split())
            reason = said if said not in ("", "<no message>") else f"the server did not take the run ({type(error).__name__})"
        else:
            return run, {"mode": "online", "url": run.url, "path": run.settings.sync_dir}
    run = _init(told, "offline")
    return run, {"mode": "offline", "reason": reason, "path": run.settings.sync_dir}


def _init(told: Mapping[str, Any], mode: Literal["online", "offline"]) -> Any:
    import wandb  # noqa: PLC0415

    settings = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        save_code=False,
        disable_job_creation=True,
        init_timeout=told["init_timeout"],
        x_disable_stats=not told["system_metrics"],
    )
    return wandb.init(mode=mode, dir=told["dir"], **told["init"], settings=settings)


def _outputs(context: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for pipeline, jobs in context.items():
        for index, job in enumerate(jobs):
            prefix = f"{pipeline}.{job.get('meta_name') or index}"
            for name, value in job.items():
                if name != "meta_name":
                    yield from _leaves(f"{prefix}.{name}", value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The single values in `value`; long texts and long lists are left to the file."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value if len(value) <= _LONGEST_LIST else ()):
            yield from _leaves(f"{name}.{index}", item)
    elif value is not None and not (isinstance(value, str) and len(value) > _LONGEST_TEXT):
        yield name, value


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    code = main()
    closing = threading.Thread(target=_close, daemon=True)
    closing.start()
    closing.join(_PATIENCE_AT_EXIT)
    sys.stderr.flush()
    os._exit(code)
