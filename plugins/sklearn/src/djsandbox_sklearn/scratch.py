"""A place for what is needed only while a job runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(work_dir: Path) -> Iterator[Path]:
    """A folder that is gone after the context; in `work_dir`, since the system's temporary folder is often in memory.

    Outside of a run, where `work_dir` does not exist, it is in the system's temporary folder after all.
    """
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=work_dir if work_dir.is_dir() else None) as folder:
        yield Path(folder)
