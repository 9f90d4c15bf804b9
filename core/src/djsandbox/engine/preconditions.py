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
    obstacle = _obstacle(config.work_dir)
    if obstacle:
        yield Problem(
            f"the work_dir '{config.work_dir}' cannot be written: {obstacle}", config.at("work_dir"), "choose another"
        )


def _obstacle(work_dir: Path) -> str | None:
    """Why nothing could be written below `work_dir`; creates nothing."""
    for folder in (work_dir.absolute(), *work_dir.absolute().parents):
        if folder.exists():
            if not folder.is_dir():
                return f"{folder} is a file"
            return None if os.access(folder, os.W_OK | os.X_OK) else f"no permission for {folder}"
    return None
