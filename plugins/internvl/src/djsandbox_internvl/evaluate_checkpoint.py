"""Runs InternVL's evaluate.sh on one checkpoint, in a fresh folder, and writes the scores when all of them are there.

evaluate.sh ends with 0 whatever has happened, and appends to what an earlier run has left. Neither can deceive this program:
it counts only what was printed and written while it ran.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from djsandbox_internvl.caption_scores import checked, scores_in

SCORES, LOG, CAPTIONS = "scores.json", "evaluation_log.txt", "captions"


def main(arguments: Sequence[str]) -> int:
    """0 when `scores.json` has been written; 1, with the reason, where scores are missing."""
    parser = argparse.ArgumentParser(prog="evaluate_checkpoint", allow_abbrev=False)
    parser.add_argument("--checkpoint", required=True, help="relative to the current folder, internvl_chat")
    parser.add_argument("--folder", required=True, help="where log, captions and scores go")
    parser.add_argument("--python", required=True, help="the interpreter of the environment")
    parser.add_argument("--score-by", help="ground truth by which the captions are scored here, instead of the printed scores")
    parser.add_argument("further", nargs="*", help="further arguments of the evaluation, after --")
    asked = parser.parse_args(arguments)
    folder = Path(asked.folder)
    _clear(folder)
    with _without_spaces(asked.checkpoint) as checkpoint:
        argv = ["bash", "evaluate.sh", checkpoint, "caption-coco", *asked.further, "--out-dir", str(folder / CAPTIONS)]
        code = _run(argv, folder / LOG)
    try:
        captions = _newest(folder / CAPTIONS)
        if asked.score_by:
            scores = _scored(asked.python, captions, asked.score_by, folder)
        else:
            scores = checked(scores_in((folder / LOG).read_text(encoding="utf-8", errors="replace")))
    except ValueError as error:
        sys.stderr.write(f"the evaluation has failed (exit code {code}): {error}\n")
        return 1
    _write(folder / SCORES, scores)
    return 0


@contextmanager
def _without_spaces(checkpoint: str) -> Iterator[str]:
    """The checkpoint as evaluate.sh takes it, which splits its path at white space: through a link, where it has to be."""
    if not any(letter.isspace() for letter in checkpoint):
        yield checkpoint
        return
    with tempfile.TemporaryDirectory(prefix="internvl-") as folder:
        link = Path(folder, "checkpoint")
        link.symlink_to(Path(checkpoint).resolve(), target_is_directory=True)
        yield os.path.relpath(os.path.realpath(folder), os.path.realpath(".")) + "/checkpoint"


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / CAPTIONS, ignore_errors=True)
    for name in (SCORES, LOG):
        (folder / name).unlink(missing_ok=True)


def _run(argv: Sequence[str], log: Path) -> int:
    """Run it with a port of its own; what it prints goes on as it comes, and to the log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    variables = {**os.environ, "MASTER_PORT": os.environ.get("MASTER_PORT", port)}
    process = subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
    with process, log.open("wb") as file:
        while chunk := os.read(process.stdout.fileno(), 65536):  # type: ignore[union-attr]
            file.write(chunk)
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    return process.returncode


def _newest(folder: Path) -> Path:
    """The captions; ValueError where there are none."""
    found = sorted(folder.glob("coco_*.json"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise ValueError("it has written no captions")
    rows = json.loads(found[-1].read_text(encoding="utf-8"))  # a JSONDecodeError is a ValueError
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"there are no captions in {found[-1]}")
    return found[-1]


def _scored(python: str, captions: Path, truth: str, folder: Path) -> dict[str, float]:
    target = folder / "direct_scores.json"
    target.unlink(missing_ok=True)
    script = Path(__file__).with_name("score_captions.py")
    code = subprocess.run([python, str(script), str(captions), truth, str(target)], check=False).returncode  # noqa: S603
    if code or not target.is_file():
        raise ValueError(f"scoring the captions ended with {code}")
    return checked(json.loads(target.read_text(encoding="utf-8")))


def _write(path: Path, scores: dict[str, float]) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(scores, indent=2), encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
