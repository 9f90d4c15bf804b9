"""Runs a training in a folder that is new, and hands its files over when it has made a checkpoint.

`python -m djsandbox_easyanimate.train_task UNFINISHED FINISHED -- PROGRAM ARGUMENTS...`

Checkpoints are called after their step, so that of two trainings into one folder nobody could tell whose is the latest. What
the training before this one has left there is taken away, as far as it is in its manifest; other files stay.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from djsandbox_easyanimate.checkpoints import checkpoints, problem_with

MANIFEST = "djsandbox_training.json"
"""What a training has written, and which is its latest checkpoint; in the folder of its files."""


FREE_PORT = "{free_port}"
"""What stands in the command for a port that is free when it begins."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the training that has written into `folder`; OSError or ValueError where there is none."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f"{folder / MANIFEST} is no manifest")
    return manifest


def main(arguments: list[str]) -> int:
    """Train; returns the exit code."""
    unfinished, finished = Path(arguments[0]), Path(arguments[1])
    command = with_port(arguments[arguments.index("--") + 1 :])
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    code = subprocess.run(command, check=False).returncode  # noqa: S603 - what the task is
    if code:
        return 128 - code if code < 0 else code
    problem = take_over(unfinished, finished)
    if problem:
        sys.stderr.write(f"the training has ended with exit code 0, but {problem}\n")
        return 1
    shutil.rmtree(unfinished, ignore_errors=True)
    return 0


def with_port(command: list[str]) -> list[str]:
    """The command with a port in the place of `FREE_PORT`."""
    if not any(FREE_PORT in word for word in command):
        return command
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return [word.replace(FREE_PORT, port) for word in command]


def take_over(unfinished: Path, finished: Path) -> str | None:
    """Move the files of a training to where they belong; what is wrong with them, if anything is."""
    made = checkpoints(unfinished)
    if not made:
        return f"it has left no checkpoint-<step>.safetensors in {unfinished}"
    problem = problem_with(made[-1].path)
    if problem:
        return problem
    finished.mkdir(parents=True, exist_ok=True)
    _forget(finished)
    names = sorted(path.name for path in unfinished.iterdir())
    manifest = {
        "checkpoint": str(made[-1].path.relative_to(unfinished)),
        "step": made[-1].step,
        "checkpoints": {one.step: str(one.path.relative_to(unfinished)) for one in made},
        "files": names,
    }
    for name in names:
        _remove(finished / name)
        os.replace(unfinished / name, finished / name)
    draft = finished / f".{MANIFEST}"
    draft.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, finished / MANIFEST)
    return None


def _forget(folder: Path) -> None:
    """Take away what the training before has left, and its manifest first: half of it would be nobody's."""
    try:
        names = read_manifest(folder).get("files", [])
    except (OSError, ValueError):
        names = []
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in names:
        if isinstance(name, str) and os.path.basename(name) == name and name not in ("", ".", ".."):
            _remove(folder / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
