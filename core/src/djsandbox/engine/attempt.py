"""One execution of one job: its folder and log, and what it left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox.components.paths import path_uses
from djsandbox.engine.folders import Folders
from djsandbox.engine.launching.tasks import JobTasks
from djsandbox.engine.outputs import name_outputs
from djsandbox.engine.own_folder import make_empty
from djsandbox.engine.prepare import PreparedJob
from djsandbox.errors import JobFailed, SandboxError
from djsandbox.journal.fingerprint import Fingerprints, snapshot
from djsandbox.journal.history import JobRecord
from djsandbox.journal.tasks import UNSETTLED
from djsandbox.journal.values import decode, encode
from djsandbox.process.capture import captured


@contextlib.contextmanager
def job_log(log_file: Path, name: str, secrets: Collection[str], *, debug: bool) -> Iterator[logging.Logger]:
    """A logger that writes to `log_file` alone, without `secrets`; while it is open, what is printed goes there, too."""
    # Of its own, outside of logging's tree: thousands of jobs would fill that for good.
    logger = logging.Logger(f"djsandbox.job.{name}", logging.DEBUG if debug else logging.INFO)
    with captured(log_file, secrets) as capture:
        handler = logging.StreamHandler(capture)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        try:
            yield logger
        finally:
            logger.removeHandler(handler)


def execute(
    prepared: PreparedJob,
    fingerprints: Fingerprints,
    folders: Folders,
    *,
    identity: Mapping[str, Any],
    queries: Mapping[str, str],
    tasks: JobTasks,
) -> JobRecord:
    """Run the job in a fresh folder of its own; JobFailed, with the traceback in the log, when it does not succeed.

    `identity` names run, iteration and attempt; `queries` is where the job's watcher notes what it was asked meanwhile, and
    `tasks` runs its tasks. Of earlier attempts the folder keeps what tasks wrote that need not be repeated.
    """
    job = prepared.planned.job
    context = prepared.inputs.context
    started = time.monotonic()
    make_empty(context.work_dir, keep=tasks.expect(prepared))
    watched = sorted(set(prepared.placed.values()))
    before = {path: snapshot(path) for path in watched}
    for path in watched:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        result = prepared.planned.hook.run(prepared.components, prepared.inputs)
        outputs = name_outputs(result, job.outputs)
        encoded = {name: encode(value, name=name, frames=folders.frames(job.id)) for name, value in outputs.items()}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        context.logger.exception("the job failed")
        raise JobFailed(job.id, error, where=job.where, log=str(context.log_file), iteration=folders.iteration) from error
    left = dict.fromkeys([*tasks.written(), *_left_behind(prepared, folders, before, encoded)])
    changed = [path for path, seen in prepared.seen.items() if _fingerprint(fingerprints, path) != seen]
    if changed:
        context.logger.warning("inputs changed while the job read them, so its result is not reused: %s", ", ".join(changed))
    return JobRecord(
        run_id=identity["run_id"],
        iteration=identity["iteration"],
        job_id=job.id,
        meta_name=job.meta_name,
        key=f"{UNSETTLED}{identity['attempt']}" if changed else prepared.key,
        attempt=identity["attempt"],
        deterministic=prepared.deterministic,
        outputs=encoded,
        files={path: fingerprints.of(path) for path in left},
        seconds=round(time.monotonic() - started, 3),
        where=str(job.where),
        placed=dict(prepared.placed),
        ingredients=dict(prepared.ingredients),
        queries=dict(queries),
        variables=tasks.variables(),
    )


def _fingerprint(fingerprints: Fingerprints, path: str) -> str | None:
    try:
        return fingerprints.of(path)
    except (OSError, SandboxError):
        return None


def outputs_of(record: JobRecord, folders: Folders) -> dict[str, Any]:
    """The outputs of a finished job as values."""
    frames = folders.frames(record.job_id)
    return {name: decode(value, frames=frames) for name, value in record.outputs.items()}


def _left_behind(
    prepared: PreparedJob, folders: Folders, before: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, Any]
) -> list[str]:
    """Files and folders that make up the result: what the job wrote, and what of its own and its inputs its outputs name."""
    written = [
        path
        for place, known in before.items()
        for path, stamp in snapshot(place).items()
        if path == place or known.get(path) != stamp
    ]
    work_dir = str(prepared.inputs.context.work_dir)
    inputs = [use.value for component in prepared.components for use in path_uses(component.config)]
    roots = [os.path.abspath(path) for path in (work_dir, *before, *inputs)]
    named = [
        path
        for value in outputs.values()
        for path in _paths_in(value)
        if any(os.path.commonpath([root, os.path.abspath(path)]) == root for root in roots)
    ]
    frames = snapshot(folders.frames(prepared.planned.job.id))
    found: list[str] = []
    for path in dict.fromkeys([*written, *named, *frames]):
        # A folder around the work_dir changes with every run: of it, only the files that are nobody's bookkeeping count.
        found.extend([path] if not folders.lie_in(path) else list(snapshot(path)))
    return [path for path in dict.fromkeys(found) if not folders.owns(path) or path.startswith(work_dir)]


def _paths_in(value: Any) -> Iterable[str]:
    """Strings of an output that are paths of existing files or folders."""
    if isinstance(value, str):
        looks_like_path = ("/" in value or "." in value) and "\n" not in value and len(value) < 4096
        if looks_like_path and "\0" not in value and os.path.exists(value):
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _paths_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _paths_in(item)
