"""What a sweep leaves in its work_dir and beside it, taken away when a new one begins there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from djsandbox.engine.folders import Folders
from djsandbox.errors import ConfigError, SandboxError
from djsandbox.journal.atomic import write_atomically
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import JobRecord
from djsandbox.journal.journal import Journal
from djsandbox.journal.lock import LOCK_FILE

BEST = "best.yaml"
_TRIAL = re.compile(r"trial_\d+")


def clear_old_sweep(folders: Folders, shared: Path, data: Iterable[str], fingerprints: Fingerprints) -> None:
    """Take away the trials of earlier sweeps in the work_dir, with their outputs elsewhere, and what came of them.

    Outputs are files that a trial's journal says it wrote to a folder of its own, and that nobody has changed since; nothing
    else is touched. ConfigError where the new sweep reads some of it: `data` are the paths that it reads.
    """
    trials = [path for path in folders.work_dir.glob("trial_*") if _TRIAL.fullmatch(path.name) and (path / LOCK_FILE).exists()]
    outputs = {os.path.abspath(path): path for trial in trials for path in _outputs(trial, fingerprints)}
    read = list(data)
    for old in (*map(str, trials), *outputs):
        used = next((path for path in read if _is_in(path, old) or _is_in(old, path)), None)
        if used is not None:
            fix = "begin the new sweep in another --work_dir, or copy what it reads to another place"
            raise ConfigError(f"the sweep reads '{used}', and an earlier sweep in this work_dir made it", fix=fix)
    for path in outputs:
        os.unlink(path)
        _remove_empty(Path(path).parent)
    for trial in trials:
        shutil.rmtree(trial)
    shutil.rmtree(shared, ignore_errors=True)
    shutil.rmtree(folders.context_frames.parent, ignore_errors=True)
    for file in (folders.context_file, folders.work_dir / BEST):
        file.unlink(missing_ok=True)


def take_over_context(trial: Folders, sweep: Folders) -> None:
    """Let the context of a trial be that of the sweep, data frames included."""
    if trial.context_file.is_file():
        shutil.rmtree(sweep.context_frames, ignore_errors=True)
        if trial.context_frames.is_dir():
            shutil.copytree(trial.context_frames, sweep.context_frames)
        write_atomically(sweep.context_file, trial.context_file.read_bytes())


def _outputs(trial: Path, fingerprints: Fingerprints) -> Iterator[str]:
    """The files that `trial` has written to places of its own outside of its work_dir, and that still are what they were."""
    for record in _recorded(trial):
        placed = [place for place in record.placed.values() if trial.name in Path(place).parts]
        for path, fingerprint in record.files.items():
            is_placed = any(_is_in(path, place) for place in placed) and not _is_in(path, trial)
            is_file = os.path.isfile(path) and not os.path.islink(path)
            if is_placed and is_file and fingerprints.of(path) == fingerprint:
                yield path


def _recorded(trial: Path) -> Iterator[JobRecord]:
    with contextlib.suppress(SandboxError):  # what a journal that cannot be read would say of other places is not known
        for event in Journal(trial).events():
            if event["event"] in ("job_finished", "job_reused"):
                yield JobRecord.from_event(event)


def _remove_empty(folder: Path) -> None:
    """Remove `folder` where nothing is left in it, and those it lies in, up to that of the trial."""
    while not any(folder.iterdir()):
        folder.rmdir()
        if _TRIAL.fullmatch(folder.name):
            return
        folder = folder.parent


def _is_in(path: str, place: str | Path) -> bool:
    whole = os.path.abspath(place)
    return os.path.commonpath([whole, os.path.abspath(path)]) == whole
