"""What lies where in a work_dir."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_OWN_FILES = ("journal.jsonl", "metrics.jsonl", "context_infos.json", "fingerprints.json", ".lock", ".processes")
_OWN_FOLDERS = ("context", "logs", "jobs", "cache", "sweep")


@dataclass(frozen=True, slots=True)
class Folders:
    """The files and folders that the engine keeps in `work_dir`; `iteration` is a number only where there are several."""

    work_dir: Path
    iteration: int | None = None

    @property
    def context_file(self) -> Path:
        """The latest iteration's context, in the guide's shape."""
        return self.work_dir / "context_infos.json"

    @property
    def iteration_context_file(self) -> Path:
        """The context of this iteration, kept when others follow."""
        return self.contexts / f"{self._part}.json"

    @property
    def contexts(self) -> Path:
        """The contexts of all iterations."""
        return self.work_dir / "context"

    @property
    def context_frames(self) -> Path:
        """The data frames that the contexts name."""
        return self.contexts / "frames"

    @property
    def _part(self) -> str:
        return "" if self.iteration is None else f"iter_{self.iteration}"

    @property
    def cache(self) -> Path:
        """Shared by the jobs of a run; kept for the next one only when that resumes."""
        return self.work_dir / "cache"

    @property
    def processes(self) -> Path:
        """Locked by the processes that a run has started, until they have ended."""
        return self.work_dir / ".processes"

    @property
    def sweep(self) -> Path:
        """What the trials of a sweep share, and the record of who chooses their values."""
        return self.work_dir / "sweep"

    @property
    def sweep_fingerprints(self) -> Path:
        """The cache of content hashes that trials share."""
        return self.sweep / "fingerprints.json"

    @property
    def fingerprints(self) -> Path:
        """The cache of content hashes."""
        return self.work_dir / "fingerprints.json"

    def job(self, job_id: str) -> Path:
        """A job's own folder, the same for every attempt so that a resumed run ends with the same paths."""
        return self.work_dir / "jobs" / self._part / job_id

    def frames(self, job_id: str) -> Path:
        """Where data frames among a job's outputs are kept."""
        return self.job(job_id) / "frames"

    def log(self, job_id: str, run_id: str) -> Path:
        """The log of one attempt."""
        return self.work_dir / "logs" / self._part / job_id / f"{run_id}.log"

    def lie_in(self, path: str) -> bool:
        """True where the work_dir is `path` or lies below it."""
        place, inner = os.path.abspath(path), os.path.abspath(self.work_dir)
        return os.path.commonpath([place, inner]) == place

    def owns(self, path: str) -> bool:
        """True for what the engine itself writes, which is no job's output even where a job's output folder is the work_dir."""
        relative = os.path.relpath(os.path.abspath(path), os.path.abspath(self.work_dir))
        first = relative.split(os.sep, 1)[0]
        return first.startswith(_OWN_FILES) or first in _OWN_FOLDERS
