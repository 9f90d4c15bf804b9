"""Files that appear under their final name only when they are complete."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from djsandbox import ComponentError


def take_place(written: Path, target: Path) -> None:
    """Move `written` to `target`, across file systems too; raises ComponentError where Data-Juicer wrote no file."""
    if not written.exists():
        raise ComponentError(
            f"Data-Juicer ended without an error and wrote no {target.name}", fix="the log of the job has its reasons"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(written, target)
    except OSError:  # another file system
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(written, beside)
        beside.replace(target)
        written.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path`, which has either its old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
