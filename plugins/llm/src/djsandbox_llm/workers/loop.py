"""What the workers share: from a file of requests to a file of answers, going on where an earlier attempt ended."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
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
    with AnswerLog(given.log) as log:
        count = sum(1 for _ in _read(given.requests))
        done = count - sum(1 for _ in _open(given.requests, log))
        _tell(done, count)
        answer = load(options) if done < count else None
        todo = _open(given.requests, log)
        while answer and (batch := list(itertools.islice(todo, options["batch_size"]))):
            for request, text in zip(batch, answer(batch)):  # noqa: B905 - Python 3.9 has no strict
                log.add(request["place"], request["request"], text)
            done += len(batch)
            _tell(done, count)
        _hand_over(log, given.requests, given.answers)


def _read(requests: Path) -> Iterator[dict[str, Any]]:
    """The requests, one after another: there may be more than fit into memory."""
    with requests.open(encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            request["place"] = tuple(request["place"])
            yield request


def _open(requests: Path, log: AnswerLog) -> Iterator[dict[str, Any]]:
    """The requests that have no answer yet."""
    for request in _read(requests):
        if not log.has(request["place"], request["request"]):
            log.forget(request["place"])
            yield request


def _tell(done: int, count: int) -> None:
    print(f"answers: {done}/{count}", flush=True)  # noqa: T201 - read by the executor


def _hand_over(log: AnswerLog, requests: Path, target: Path) -> None:
    """Leave the answers to what was asked, and no others, where they are expected: whole, or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    with AnswerLog(partial, fresh=True) as answers:
        for request in _read(requests):
            answers.add(request["place"], request["request"], log.output(request["place"]) or "")
    if target.exists():
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    os.replace(partial, target)
