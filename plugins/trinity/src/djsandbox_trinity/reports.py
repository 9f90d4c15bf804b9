"""What a training has reported: its numbers, from its event files and its logs, and whether it says that it failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from djsandbox_trinity.event_files import PATTERN, read_events
from djsandbox_trinity.monitor import Record, record_of
from djsandbox_trinity.worker.failures import FailureReader

_LOGS = "log/**/*.log"


def read_records(attempt: Path, before: Mapping[str, int]) -> list[Record]:
    """All numbers of an attempt: those of the event files, and what only the logs have.

    Event files are there where the monitor is TensorBoard, Trinity's default; what it has not written to the disk when it is
    ended is in the logs alone, and so is all of any other monitor's. Of every file what had stood there before the attempt
    (`before`, bytes by relative path) is passed over.
    """
    records = [
        record
        for path in sorted(attempt.rglob(PATTERN))
        for record in read_events(path, before.get(str(path.relative_to(attempt)), 0))
    ]
    written = {(record.step, key) for record in records for key in record.metrics}
    for _, line in _lines_of_logs(attempt, before):
        record = record_of(line)
        if record is not None:
            rest = {key: value for key, value in record.metrics.items() if (record.step, key) not in written}
            records.append(Record(record.step, rest))
    return records


def failure_in_logs(attempt: Path, before: Mapping[str, int]) -> str:
    """What failed by the logs of an attempt; empty where nothing did."""
    readers: dict[Path, FailureReader] = {}
    for path, line in _lines_of_logs(attempt, before):
        readers.setdefault(path, FailureReader()).feed(line)
    return "; ".join(reader.message() for reader in readers.values() if reader.what)


def _lines_of_logs(attempt: Path, before: Mapping[str, int]) -> Iterator[tuple[Path, str]]:
    for path in sorted(attempt.rglob(_LOGS)):
        with path.open("rb") as file:
            file.seek(before.get(str(path.relative_to(attempt)), 0))
            for line in file:
                yield path, line.decode("utf-8", errors="replace")
