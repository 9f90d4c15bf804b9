"""Where an output goes, and which output a written path means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

_ITERATION = re.compile(r"iter_\d+")
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
        parts = self._parts()
        if not parts:
            return path
        pure = PurePath(_without_iteration(self.written(path)))
        if pure.suffix and not path.endswith(("/", os.sep)):
            return os.path.join(*(pure.parent.parts or (".",)), *parts, pure.name)
        return os.path.join(pure, *parts)

    def written(self, placed: str) -> str:
        """The reverse of `place`: the path without what this placement adds, where that stands in it."""
        own, parts = list(PurePath(placed).parts), self._parts()
        for end in (len(own) - 1, len(own)):  # before the file's name, or inside the folder
            if parts and own[max(0, end - len(parts)) : end] == parts:
                return str(PurePath(*own[: end - len(parts)], *own[end:]))
        return placed

    def _parts(self) -> list[str]:
        return [f"{name}_{at}" for name, at in (("trial", self.trial), ("iter", self.iteration)) if at is not None]


def unplaced(path: str) -> str:
    """`path` without any folder that a placement may have added: one name for it in all iterations and trials."""
    return str(PurePath(*(part for part in PurePath(path).parts if not _PLACED_PART.fullmatch(part))))


def logical(path: str) -> str:
    """The absolute path of what a config may spell with the folder of an iteration (`out/iter_1/pool.jsonl`), or without."""
    return _without_iteration(os.path.abspath(path))


def _without_iteration(path: str) -> str:
    *before, folder, name = ["", "", *PurePath(path).parts]
    kept = [part for part in (folder, name) if not _ITERATION.fullmatch(part)]
    return str(PurePath(*before, *kept))


@dataclass(frozen=True, slots=True)
class Product:
    """An output: the job that writes it, and where it is placed."""

    job_id: str
    placed: str


@dataclass(slots=True)
class Products:
    """What the jobs so far write. A path means the output at exactly that place, else the only one it could be spelt for.

    `placement` is where they are placed; while planning, nowhere but where they are written.
    """

    placement: Placement = field(default_factory=Placement)
    _exact: dict[str, Product] = field(default_factory=dict)
    _logical: dict[str, dict[str, Product]] = field(default_factory=dict)

    def add(self, job_id: str, placed: str) -> None:
        """Note that `job_id` writes `placed`, a file or folder."""
        product = Product(job_id, placed)
        exact = os.path.abspath(placed)
        self._exact[exact] = product
        self._logical.setdefault(logical(self.placement.written(exact)), {})[exact] = product

    def producer(self, path: str) -> str | None:
        """The job that writes exactly the output `path` means; None when none does."""
        found = self._at(path)
        return found.job_id if found else None

    def around(self, path: str) -> str | None:
        """The job that writes what `path` means, or a folder it lies in; None when none does."""
        found = next((product for step in _upwards(path) if (product := self._at(step))), None)
        return found.job_id if found else None

    def actual(self, path: str) -> str:
        """Where the output that `path` means was placed; `path` itself when it is nobody's output.

        A file inside an output folder is looked for as written first, because folders may be shared with other tools.
        """
        for step in _upwards(path):
            found = self._at(step)
            if found is None:
                continue
            inside = os.path.relpath(os.path.abspath(path), step)
            moved = found.placed if inside == os.curdir else os.path.join(found.placed, inside)
            is_same = os.path.abspath(moved) == os.path.abspath(path)
            return path if is_same or (inside != os.curdir and os.path.exists(path)) else moved
        return path

    def _at(self, path: str) -> Product | None:
        exact = self._exact.get(os.path.abspath(path))
        if exact is not None:
            return exact
        spelt = self._logical.get(logical(path), {})
        return next(iter(spelt.values())) if len(spelt) == 1 else None


def _upwards(path: str) -> Iterator[str]:
    path = os.path.abspath(path)
    while True:
        yield path
        parent = os.path.dirname(path)
        if parent == path:
            return
        path = parent
