"""Mirrors one run to W&B: a program of its own, told line by line (JSON) through its stdin what to mirror.

W&B's library changes the environment, starts a service, captures signals and waits for the network: here none of that is the
run's. The first line says what to begin with, and is answered on stdout by one that says where the run is mirrored to.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

_NOT_OURS = ("WANDB_MODE", "WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH")
_MOST_LEAVES, _LONGEST_TEXT, _LONGEST_LIST = 1000, 300, 20
_PATIENCE_AT_EXIT = 1.0
_PATIENCE_ALONE = 30.0
"""Seconds in which a mirror whose run was killed has to end."""


class Mirror:
    """A W&B run that is being written."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._known: set[str] = set()

    def metric(self, name: str, value: Any, step: int | None, iteration: int) -> None:
        """Log a value; with a step, charts have it as their axis."""
        row: dict[str, Any] = {name: value, "iteration": iteration}
        if step is not None:
            row["step"] = step
            if name not in self._known:
                self._known.add(name)
                self._run.define_metric(name.replace("\\", "\\\\").replace(".", "\\."), step_metric="step")
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
    told = (json.loads(line) for line in sys.stdin)
    first = next(told)
    os.environ.update(first["environment"])
    run, answer = _begin(first)
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
    mirror, is_finished = Mirror(run), False
    for fields in told:
        what = fields.pop("what")
        is_finished = is_finished or what == "finish"
        _guarded(getattr(mirror, what), fields)
    if not is_finished:
        end = threading.Timer(_PATIENCE_ALONE, os._exit, [1])
        end.daemon = True
        end.start()
        mirror.finish("killed")
    return 0


def _close() -> None:
    """End the library's service, which waits for what could not be sent: not for long, it is in the files."""
    import wandb  # noqa: PLC0415

    wandb.teardown()


def _guarded(method: Any, fields: Mapping[str, Any]) -> None:
    try:
        method(**fields)
    except Exception as error:  # one value that W&B refuses is not the end of the mirror
        what = f"{method.__name__} {fields.get('name', '')}".strip()
        sys.stderr.write(f"not mirrored: {what}: {type(error).__name__}: {error}\n")


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
