"""Data pools row by row, and what is asked of a model for each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox import ComponentError, NamedFunction
from djsandbox.errors import Position

from djsandbox_llm.messages import Message
from djsandbox_llm.workers.answer_log import Place

_JSON_LINES = "a data pool is a UTF-8 file with one JSON object a line"


@dataclass(frozen=True, slots=True)
class Asking:
    """How messages are made of rows."""

    build: NamedFunction
    kwargs: Mapping[str, Any]

    def conversations(self, row: Mapping[str, Any], where: Position) -> tuple[list[list[Message]], bool]:
        """The conversations of a row, and whether they are a list: a function may give one (its messages), or many.

        ComponentError, with the place of the row, where the function fails or gives no messages.
        """
        name = self.build.name
        try:
            built = self.build(row, **self.kwargs)
        except Exception as error:  # the function may be anybody's
            fix = f"the row has the keys {', '.join(map(str, row)) or '(none)'}; see func_kwargs"
            reason = f"{type(error).__name__}: {error}"
            raise ComponentError(f"'{name}' makes no messages of this row: {reason}", where=where, fix=fix) from error
        if not isinstance(built, Sequence) or isinstance(built, (str, bytes)):
            raise _no_messages(name, built, where)
        is_list = not built or isinstance(built[0], Sequence)
        conversations = [list(one) for one in built] if is_list else [list(built)]
        for message in (message for conversation in conversations for message in conversation):
            if not (isinstance(message, Mapping) and "role" in message and "content" in message):
                raise _no_messages(name, message, where)
        return conversations, is_list


@dataclass(frozen=True, slots=True)
class Request:
    """One conversation that a model is asked to go on with, and the row that it is made of."""

    place: Place
    messages: list[Message]
    row: dict[str, Any]
    where: Position

    def digest(self, setting: str) -> str:
        """Tells this request, with the model and parameters that `setting` stands for, from others."""
        return hashlib.sha256(f"{setting}\0{json.dumps(self.messages, sort_keys=True)}".encode()).hexdigest()[:24]


def rows_of(path: str) -> Iterator[tuple[Position, dict[str, Any]]]:
    """The rows of a data pool with their places, read one after another; ComponentError for what is none."""
    if Path(path).is_dir():
        raise ComponentError(f"the data pool {path} is a folder", fix=f"name its files: {_JSON_LINES}")
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                where = Position(path, number)
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ComponentError(f"this line is no JSON: {error}", where=where, fix=_JSON_LINES) from error
                if not isinstance(row, dict):
                    raise ComponentError("this line is no JSON object", where=where, fix=_JSON_LINES)
                yield where, row
    except UnicodeDecodeError as error:
        raise ComponentError(f"the data pool {path} is no UTF-8 text: {error}", fix=_JSON_LINES) from error
    except OSError as error:
        raise ComponentError(f"cannot read the data pool {path}: {error.strerror}") from error


def requests_of(path: str, asking: Asking, pool: int = 0) -> Iterator[Request]:
    """What is asked for the rows of a data pool, the how manieth of which is `pool`, in their order."""
    for number, (where, row) in enumerate(rows_of(path)):
        for at, messages in enumerate(asking.conversations(row, where)[0]):
            yield Request((pool, number, at), messages, row, where)


def _no_messages(name: str, given: object, where: Position) -> ComponentError:
    what = f"'{name}' gave {type(given).__name__} where a message is wanted"
    fix = "a message is a mapping with 'role' and 'content'; the function returns a list of them, or a list of such lists"
    return ComponentError(what, where=where, fix=fix)
