"""From the answers to the files of results."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox import ComponentError, NamedFunction, unique_names
from djsandbox.errors import Position

from djsandbox_llm.rows import Asking, Request, requests_of, rows_of
from djsandbox_llm.workers.answer_log import AnswerLog

_SINGLE = -1


def result_paths(pools: Sequence[str], folder: str) -> list[str]:
    """The file of results of each data pool: its name, with those of its folders where several are called alike."""
    return [os.path.join(folder, f"{name}_inference.jsonl") for name in unique_names(pools)]


@dataclass(slots=True)
class PoolWork:
    """One data pool: what is asked for its rows, and what becomes of the answers."""

    number: int
    path: str
    result_path: str
    asking: Asking
    conversations: array[int] = field(default_factory=lambda: array("i"))
    """For each row the number of its conversations; -1 for one that is not in a list."""

    def read_through(self) -> int:
        """Make the messages of all rows once, so that none fails after others were paid for; returns how many requests."""
        self.conversations = array("i")
        for where, row in rows_of(self.path):
            found, is_list = self.asking.conversations(row, where)
            self.conversations.append(len(found) if is_list else _SINGLE)
        return sum(abs(count) for count in self.conversations)

    def requests(self) -> Iterator[Request]:
        """What is asked, row by row."""
        return requests_of(self.path, self.asking, self.number)

    def write(self, log: AnswerLog, parsing: Parsing, key: str) -> int:
        """Write the results, in the order of the rows; returns the number of rows with an answer missing (None there)."""
        missing = 0
        target = Path(self.result_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        with partial.open("wb") as file:
            for number, (where, row) in enumerate(rows_of(self.path)):
                values = []
                for at in range(abs(self.conversations[number])):
                    output = log.output((self.number, number, at))
                    missing += output is None
                    values.append(None if output is None else parsing.value(output, row, where))
                row[key] = values[0] if self.conversations[number] == _SINGLE else values
                file.write(_line(row))
        os.replace(partial, target)
        return missing


def _line(row: dict[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 does not have
        return json.dumps(row).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Parsing:
    """How a value is made of an answer."""

    parse: NamedFunction
    kwargs: dict[str, Any]

    def value(self, output: str, row: dict[str, Any], where: Position) -> Any:
        """What is kept of `output`; ComponentError where the function fails, or gives what JSON cannot hold."""
        name = self.parse.name
        try:
            value = self.parse(output, row, **self.kwargs)
            json.dumps(value)
        except Exception as error:  # the function may be anybody's
            shown = output if len(output) <= 200 else f"{output[:200]}..."
            raise ComponentError(
                f"'{name}' fails on an answer: {type(error).__name__}: {error}",
                where=where,
                fix=f"the answer was {shown!r}; answers that have arrived are kept, --resume goes on with them",
            ) from error
        return value
