"""What the workers share: from a file of requests to a file of answers, going on where an earlier attempt ended."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from answer_log import AnswerLog

Load = Callable[["dict[str, Any]"], Callable[["list[dict[str, Any]]"], "list[str]"]]


def work(load: Load) -> None:
    """Answer all requests. `load(options)` gives the function that answers a batch; it is called only where one is open."""
    parser = argparse.ArgumentParser()
    for name in ("requests", "options", "log", "answers"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    options = json.loads(given.options.read_text(encoding="utf-8"))
    with given.requests.open(encoding="utf-8") as file:
        asked = [json.loads(line) for line in file]
    with AnswerLog(given.log) as log:
        todo = []
        for request in asked:
            request["place"] = tuple(request["place"])
            if not log.has(request["place"], request["request"]):
                log.forget(request["place"])
                todo.append(request)
        done = len(asked) - len(todo)
        _tell(done, len(asked))
        answer = load(options) if todo else None
        for start in range(0, len(todo), options["batch_size"]):
            batch = todo[start : start + options["batch_size"]]
            texts = answer(batch) if answer else []
            for request, text in zip(batch, texts):  # noqa: B905 - Python 3.9 has no strict
                log.add(request["place"], request["request"], text)
            done += len(batch)
            _tell(done, len(asked))
        _hand_over(log, asked, given.answers)


def _tell(done: int, count: int) -> None:
    print(f"answers: {done}/{count}", flush=True)  # noqa: T201 - read by the executor


def _hand_over(log: AnswerLog, asked: list[dict[str, Any]], target: Path) -> None:
    """Leave the answers to what was asked, and no others, where they are expected: whole, or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    with AnswerLog(partial, fresh=True) as answers:
        for request in asked:
            answers.add(request["place"], request["request"], log.output(request["place"]) or "")
    if target.exists():
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    os.replace(partial, target)
