"""Files that a config names: a string where a mapping may stand is the path of a file that holds the mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from djsandbox.config.document import Document, read_document
from djsandbox.config.model import Block
from djsandbox.errors import ConfigError, Position

_PLACEHOLDER_IN_PATH = re.compile(r"<[A-Za-z][\w ./-]*>")
_PLACEHOLDER = re.compile(r"<[A-Za-z][A-Za-z0-9]*(?:[_ -][A-Za-z0-9]+)+>")


def is_placeholder(text: object, *, as_path: bool = False) -> bool:
    """True for a value such as `<replaced_by_the_input>` that is there to be replaced.

    In a path any `<word>` counts; elsewhere only a whole value of several words does, because `<image>` and its like are
    ordinary tokens of models.
    """
    if not isinstance(text, str):
        return False
    return bool(_PLACEHOLDER_IN_PATH.search(text)) if as_path else bool(_PLACEHOLDER.fullmatch(text.strip()))


def find_file(path: str, folder: Path) -> Path | None:
    """The file at `path`, relative to the current directory or else to `folder`; None when there is none."""
    for candidate in (Path(path), folder / path):
        if candidate.is_file():
            return candidate
    return None


def read_block(value: object, document: Document, where: Position, folder: Path) -> Block:
    """The block written as `value`: nothing, a mapping (with `document`'s positions) or the path of a file."""
    if value is None or value == {}:
        return Block(None, None, where)
    if isinstance(value, str):
        found = None if is_placeholder(value, as_path=True) else find_file(value, folder)
        return Block(read_mapping(found) if found else None, value, where)
    return Block(document, None, where)


def read_mapping(path: Path) -> Document:
    """The document at `path`, which must be a mapping; ConfigError when it is not."""
    document = read_document(path)
    if document.data is None:
        return Document({}, document.file, document.positions)
    if not isinstance(document.data, Mapping):
        raise ConfigError("a mapping (key: value) belongs here", where=document.at(()))
    return document
