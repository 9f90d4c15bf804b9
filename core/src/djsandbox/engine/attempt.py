"""One execution of one job: its folder and log, and what it left behind."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from djsandbox.engine.folders import Folders
from djsandbox.engine.outputs import name_outputs
from djsandbox.engine.prepare import PreparedJob
from djsandbox.errors import JobFailed, SandboxError
from djsandbox.journal.fingerprint import Fingerprints, snapshot
from djsandbox.journal.history import JobRecord
from djsandbox.journal.values import decode, encode


@contextlib.contextmanager
def job_log(log_file: Path, name: str, *, debug: bool) -> Iterator[logging.Logger]:
    """A logger that writes to `log_file` alone; while it is open, what the process prints goes there, too."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger(f"djsandbox.job.{name}")
    logger.propagate = False
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    with log_file.open("a", encoding="utf-8", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        try:
            with _printing_to(stream):
                yield logger
        finally:
            logger.removeHandler(handler)


@contextlib.contextmanager
def _printing_to(stream: TextIO) -> Iterator[None]:
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield


def execute(
    prepared: PreparedJob, fingerprints: Fingerprints, folders: Folders, *, run_id: str, iteration: int, attempt: str
) -> JobRecord:
    """Run the job in a fresh folder of its own; JobFailed, with the traceback in the log, when it does not succeed."""
    job = prepared.planned.job
    context = prepared.inputs.context
    started = time.monotonic()
    _make_empty(context.work_dir)
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
        traceback.print_exc(file=sys.stderr)
        raise JobFailed(job.id, error, where=job.where, log=str(context.log_file)) from error
    written = [path for place in watched for path, stamp in snapshot(place).items() if before[place].get(path) != stamp]
    written = [path for path in written if not folders.owns(path)]
    named = [path for value in encoded.values() for path in _paths_in(value)]
    named += snapshot(folders.frames(job.id))
    return JobRecord(
        run_id=run_id,
        iteration=iteration,
        job_id=job.id,
        meta_name=job.meta_name,
        key=prepared.key,
        attempt=attempt,
        deterministic=prepared.deterministic,
        outputs=encoded,
        files={path: fingerprints.of(path) for path in dict.fromkeys([*written, *named])},
        seconds=round(time.monotonic() - started, 3),
        where=str(job.where),
        placed=dict(prepared.placed),
        ingredients=dict(prepared.ingredients),
    )


def outputs_of(record: JobRecord, folders: Folders) -> dict[str, Any]:
    """The outputs of a finished job as values."""
    frames = folders.frames(record.job_id)
    return {name: decode(value, frames=frames) for name, value in record.outputs.items()}


def _make_empty(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SandboxError(f"cannot create the job's folder {folder}: {error.strerror}", fix="check work_dir") from error


def _paths_in(value: Any) -> Iterable[str]:
    """Strings of an output that are paths of existing files or folders."""
    if isinstance(value, str):
        looks_like_path = ("/" in value or "." in value) and "\n" not in value and len(value) < 4096
        if looks_like_path and "\0" not in value and Path(value).exists():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _paths_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _paths_in(item)
