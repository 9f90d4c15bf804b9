"""context_infos.json: derived from what has finished, never older than a second for long."""

from __future__ import annotations

import json
import time
from pathlib import Path

from djsandbox.context.infos import ContextInfos
from djsandbox.journal.atomic import write_atomically
from djsandbox.journal.values import encode

_SECONDS_BETWEEN = 1.0


class ContextFile:
    """Writes the context of an iteration, replacing the file whole each time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = float("-inf")

    def write(self, context: ContextInfos, *, now: bool = True) -> None:
        """Write `context`; with `now` false only if the file was last written more than a second ago."""
        if not now and time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        data = encode(context.to_dict(), name="context_infos", frames=self._path.parent / "context" / "frames")
        write_atomically(self._path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        self._written = time.monotonic()
