"""Writing data pools: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from djsandbox import ComponentError

_BUFFER_BYTES = 1 << 20


class PoolWriter:
    """Writes the pools of one job, and never over `sources`, the files that their rows come from."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._sources = set(_identities(sources))

    def write(self, target: Path, rows: Iterable[bytes]) -> str:
        """Write `rows`, one a line, to `target` and return its path.

        The file appears under its name only when it is complete; folders above it are made. Raises ComponentError where
        `target` cannot be written or is one of the sources.
        """
        if not self._sources.isdisjoint(_identities([str(target)])):
            raise ComponentError(f"{target} is read by this job and would be overwritten", fix="choose another export_path")
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("wb", buffering=_BUFFER_BYTES) as file:
                    file.writelines(row + b"\n" for row in rows)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise ComponentError(
                f"cannot write the data pool {target}: {error}", fix="mend that or change export_path"
            ) from error
        return str(target)


def _identities(paths: Iterable[str]) -> Iterator[tuple[int, int]]:
    for path in paths:
        with suppress(OSError):  # a missing file is the reader's to complain about
            status = Path(path).stat()
            yield status.st_dev, status.st_ino
