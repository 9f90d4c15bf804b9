"""context_infos.json: derived from what has finished, never older than a second for long."""

from __future__ import annotations

import time

from djsandbox.context.infos import ContextInfos
from djsandbox.engine.folders import Folders
from djsandbox.journal.atomic import write_atomically
from djsandbox.journal.json_bytes import json_bytes
from djsandbox.journal.values import encode

_SECONDS_BETWEEN = 1.0


class ContextFile:
    """Writes the context of an iteration, replacing the file whole each time; where there are several, each keeps its own."""

    def __init__(self, folders: Folders) -> None:
        self._paths = [folders.context_file]
        if folders.iteration is not None:
            self._paths.append(folders.iteration_context_file)
        self._frames = folders.context_frames
        self._written = float("-inf")

    def write(self, context: ContextInfos, *, now: bool = True) -> None:
        """Write `context`; with `now` false only if it was last written more than a second ago."""
        if not now and time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        data = encode(context.to_dict(), name="context_infos", frames=self._frames)
        for path in self._paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json_bytes(data, indent=2) + b"\n")
        self._written = time.monotonic()
