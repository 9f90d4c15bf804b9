"""Where an output goes, and which output a written path means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

_PLACED_PART = re.compile(r"(?:iter|trial)_\d+")


@dataclass(frozen=True, slots=True)
class Placement:
    """The one place that decides where outputs of this iteration or trial go.

    As written in a plain run; under `iter_<n>` where there is more than one iteration, under `trial_<k>` in a sweep. A path
    with an extension is a file and keeps its name below the new folder; another is a folder.
    """

    iteration: int | None = None
    trial: int | None = None

    def place(self, path: str) -> str:
        """`path` as written in the config -> where the job writes it."""
        parts = [f"{name}_{at}" for name, at in (("trial", self.trial), ("iter", self.iteration)) if at is not None]
        if not parts:
            return path
        pure = PurePath(path)
        if pure.suffix and not path.endswith(("/", os.sep)):
            return os.path.join(*(pure.parent.parts or (".",)), *parts, pure.name)
        return os.path.join(path, *parts)


def logical(path: str) -> str:
    """The absolute path without the folders that placement adds: two spellings of one output have one logical path."""
    absolute = os.path.abspath(path)
    return os.sep + os.path.join(*(part for part in PurePath(absolute).parts[1:] if not _PLACED_PART.fullmatch(part)), "")[:-1]


@dataclass(slots=True)
class Products:
    """What the jobs so far write: the producing job and the placed path, by logical path."""

    _by_path: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, job_id: str, path: str, placed: str | None = None) -> None:
        """Note that `job_id` writes `path` (as written in the config), at `placed`."""
        self._by_path[logical(path)] = (job_id, placed or path)

    def producer(self, path: str) -> str | None:
        """The job that writes exactly `path`; None when none does."""
        found = self._by_path.get(logical(path))
        return found[0] if found else None

    def around(self, path: str) -> str | None:
        """The job that writes `path` or a folder it lies in; None when none does."""
        for candidate in _upwards(logical(path)):
            if candidate in self._by_path:
                return self._by_path[candidate][0]
        return None

    def actual(self, path: str) -> str:
        """Where the output that `path` means was placed; `path` itself when it is nobody's output.

        A file inside an output folder is looked for as written first, because folders may be shared with other tools.
        """
        whole = logical(path)
        for candidate in _upwards(whole):
            if candidate not in self._by_path:
                continue
            placed = self._by_path[candidate][1]
            moved = placed if candidate == whole else os.path.join(placed, os.path.relpath(whole, candidate))
            is_same = os.path.abspath(moved) == os.path.abspath(path)
            return path if is_same or (candidate != whole and os.path.exists(path)) else moved
        return path


def _upwards(path: str) -> Iterator[str]:
    while True:
        yield path
        parent = os.path.dirname(path)
        if parent == path:
            return
        path = parent
