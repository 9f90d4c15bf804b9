"""What must hold of a config as a whole: said before a run, never in the middle of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from djsandbox.config.model import SandboxConfig
from djsandbox.errors import Problem


def unmet(config: SandboxConfig) -> Iterator[Problem]:
    """A problem for whatever stands in the way of any run of `config`, whichever jobs it has."""
    # Targets that could not be read are there all the same.
    if config.max_iter_num == 0 and not (config.positions and config.positions.data.get("iter_targets")):
        message = "'max_iter_num: 0' iterates until the targets are met, and there are none"
        yield Problem(message, config.at("max_iter_num"), "set iter_targets, or the number of iterations")
    obstacle = in_the_way(config.work_dir)
    if obstacle:
        yield Problem(
            f"the work_dir '{config.work_dir}' cannot be written: {obstacle}", config.at("work_dir"), "choose another"
        )


def in_the_way(folder: str | Path) -> str | None:
    """Why nothing could be written below `folder`, which need not be there; None where it could. Creates nothing."""
    path = Path(folder).absolute()
    for place in (path, *path.parents):
        if place.exists():
            if not place.is_dir():
                return f"{place} is a file"
            can_write = os.access(place, os.W_OK | os.X_OK)
            return None if can_write else f"no permission to write in {place}, or it is mounted read-only"
    return None


def unwritable(path: str) -> str | None:
    """Why an output cannot be written to `path`, a file or folder; None where it can, for all that is known."""
    if os.path.exists(path):
        is_open = os.access(path, os.W_OK) or (not os.path.isdir(path) and in_the_way(os.path.dirname(path) or ".") is None)
        return None if is_open else f"no permission to write to {path}, or it is mounted read-only"
    return in_the_way(os.path.dirname(path.rstrip("/")) or ".")
