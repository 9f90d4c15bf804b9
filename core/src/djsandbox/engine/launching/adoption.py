"""Tasks of earlier runs that need not be repeated, and the files of theirs that must survive until that is certain."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from djsandbox.components.task import Task
from djsandbox.errors import SandboxError
from djsandbox.journal.fingerprint import Fingerprints, snapshot, stamp
from djsandbox.journal.keys import content_key
from djsandbox.journal.tasks import TaskRecord


class Adoptable:
    """The finished tasks of a job's earlier attempts whose outputs are still what they were."""

    def __init__(self, records: Mapping[str, TaskRecord], fingerprints: Fingerprints, work_dir: Path) -> None:
        self._records = {name: record for name, record in records.items() if is_intact(record, fingerprints)}
        self._root = os.path.abspath(work_dir)
        self._kept = {name: self._below(record) for name, record in self._records.items()}

    def files(self) -> set[str]:
        """Absolute paths of those of their files that lie in the job's own folder."""
        return {path for stamps in self._kept.values() for path in stamps}

    def find(self, task: Task, definition: str) -> TaskRecord | None:
        """The record of this very task, if there is one."""
        record = self._records.get(task.name)
        return record if record is not None and record.definition == definition else None

    def discard(self, names: Iterable[str], adopted: Iterable[TaskRecord]) -> None:
        """Remove what tasks that are not taken over have left in the job's own folder: it must not look like a result."""
        theirs = {path for record in adopted for path in self._kept.get(record.task, ())}
        for name in names:
            for path, known in self._kept.pop(name, {}).items():
                with contextlib.suppress(FileNotFoundError):
                    if path not in theirs and stamp(path) == known:
                        os.unlink(path)

    def discard_rest(self, adopted: Sequence[TaskRecord]) -> None:
        """As `discard`, for all that is not in `adopted`."""
        taken = {record.task for record in adopted}
        self.discard([name for name in self._kept if name not in taken], adopted)

    def _below(self, record: TaskRecord) -> dict[str, tuple[int, int, int]]:
        inside = [path for path in map(os.path.abspath, record.files) if path.startswith(self._root + os.sep)]
        return {path: known for root in inside for path, known in snapshot(root).items()}


def is_intact(record: TaskRecord, fingerprints: Fingerprints) -> bool:
    """Whether all files of a finished task are still as they were recorded."""
    try:
        return all(fingerprints.of(path) == known for path, known in record.files.items())
    except (OSError, SandboxError):
        return False


def definition_of(task: Task, written: Collection[str], fingerprints: Fingerprints, work_dir: Path) -> str:
    """A digest of what a task is told to do: argv, folder, environment, outputs.

    Files in the job's own folder that it is told of (a config that was written for it) count by content, unless they are in
    `written`, the absolute paths of what the job's tasks write.
    """
    told = [*task.argv, *task.env.values()]
    paths = {part for text in told for part in (text, text.partition("=")[2]) if part}
    root = os.path.abspath(work_dir) + os.sep
    named = {}
    for path in sorted(paths):
        place = os.path.abspath(os.path.join(task.cwd or "", path)) if "\0" not in path else ""
        if place.startswith(root) and os.path.isfile(place) and place not in written:
            named[path] = fingerprints.of(place)
    return content_key(
        {
            "argv": list(task.argv), "cwd": task.cwd, "env": dict(task.env), "keep_env": sorted(task.keep_env),
            "outputs": list(task.outputs), "files": named,
        }
    )  # fmt: skip
