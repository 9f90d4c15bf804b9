"""Tasks of earlier runs that need not be repeated, and the files of theirs that must survive until that is certain."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from djsandbox.components.task import Task
from djsandbox.engine.own_folder import Mark, entries, place_in
from djsandbox.errors import SandboxError
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.tasks import TaskRecord


class Adoptable:
    """The finished tasks of a job's earlier attempts whose outputs are still what they were."""

    def __init__(self, records: Mapping[str, TaskRecord], fingerprints: Fingerprints, work_dir: Path) -> None:
        self._records = {name: record for name, record in records.items() if is_intact(record, fingerprints)}
        self._roots = {name: _roots(record, os.path.abspath(work_dir)) for name, record in self._records.items()}
        self._kept = {
            name: {path: mark for root in roots for path, mark in entries(root).items()} for name, roots in self._roots.items()
        }

    def roots(self) -> set[str]:
        """Absolute paths of those of their outputs that lie in the job's own folder."""
        return {root for roots in self._roots.values() for root in roots}

    def marks(self) -> dict[str, Mark]:
        """What lies at or below these now."""
        return {path: mark for kept in self._kept.values() for path, mark in kept.items()}

    def find(self, task: Task, definition: str) -> TaskRecord | None:
        """The record of this very task, if there is one."""
        record = self._records.get(task.name)
        return record if record is not None and record.definition == definition else None

    def discard(self, names: Iterable[str], adopted: Iterable[TaskRecord]) -> None:
        """Remove what tasks that are not taken over have left in the job's own folder: it must not look like a result."""
        theirs = {path for record in adopted for path in self._kept.get(record.task, ())}
        for name in names:
            for path, mark in self._kept.pop(name, {}).items():
                if path not in theirs and entries(path).get(path) == mark:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path)

    def discard_rest(self, adopted: Sequence[TaskRecord]) -> None:
        """As `discard`, for all that is not in `adopted`."""
        taken = {record.task for record in adopted}
        self.discard([name for name in self._kept if name not in taken], adopted)


def _roots(record: TaskRecord, folder: str) -> list[str]:
    """Records of earlier versions know no outputs, only the files below them."""
    places = [place_in(folder, path) for path in record.outputs or record.files]
    return [place for place in places if place is not None]


def is_intact(record: TaskRecord, fingerprints: Fingerprints) -> bool:
    """Whether all files of a finished task are still as they were recorded."""
    try:
        return all(fingerprints.of(path) == known for path, known in record.files.items())
    except (OSError, SandboxError):
        return False
