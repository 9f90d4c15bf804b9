"""The append-only record of a work_dir, in which many runs follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from djsandbox.errors import Position, SandboxError
from djsandbox.journal.lines import JsonLines

JOURNAL_FILE = "journal.jsonl"


class Journal:
    """`<work_dir>/journal.jsonl`: one JSON object an event, on disk before `append` returns."""

    def __init__(self, work_dir: str | Path) -> None:
        self.path = Path(work_dir) / JOURNAL_FILE
        self._lines = JsonLines(self.path)

    def append(self, event: str, /, **fields: Any) -> dict[str, Any]:
        """Write one event with its time (UTC) and return it as written.

        `fields` are JSON-able; results of components go through `values.encode` first. Raises SandboxError for others.
        """
        for reserved in ("event", "time"):
            if reserved in fields:
                raise ValueError(f"the journal sets '{reserved}' itself")
        record = {"event": event, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}
        try:
            self._lines.append(record, durable=True)
        except (TypeError, ValueError) as error:
            raise SandboxError(f"the event '{event}' is not plain JSON: {error}") from error
        return record

    def events(self) -> Iterator[dict[str, Any]]:
        """All events, oldest first; SandboxError with file and line where one cannot be read."""
        for number, record in enumerate(self._lines.read(), start=1):
            if not isinstance(record.get("event"), str):
                raise SandboxError("this line is not an event", where=Position(str(self.path), number))
            yield record
