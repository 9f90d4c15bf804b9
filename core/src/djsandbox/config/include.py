"""Files that a config names: a string where a mapping may stand is the path of a file that holds the mapping."""

from __future__ import annotations

import filecmp
import re
from collections.abc import Mapping
from pathlib import Path

from djsandbox.config.document import Document, read_document
from djsandbox.config.model import Block
from djsandbox.errors import ConfigError, Position

_PLACEHOLDER = re.compile(r"<[^\W_][\w ./-]*>")
_WORDS = re.compile(r"[^\W_]+")
_SAYS_SO = {"replace", "replaced", "update", "updated", "placeholder", "your", "path", "todo", "fill", "filled", "input"}
_SAYS_SO |= {"output", "previous", "auto", "automatically", "require", "required", "requires", "need", "needed", "by", "from"}
_SAYS_SO |= {"the", "set", "here", "home", "change", "insert", "result", "results", "hook"}


def is_placeholder(text: object, *, as_path: bool = False) -> bool:
    """True for a value such as `<replaced_by_the_input>` that is there to be replaced.

    In a path any `<word>` counts; elsewhere only a whole value that says so (`placeholder`, `replaced`, `your`, ...), because
    models have tokens (`<image>`, `<end_of_turn>`) and texts have tags (`<div>`) that look the same.
    """
    if not isinstance(text, str):
        return False
    if as_path:
        return bool(_PLACEHOLDER.search(text))
    words = _WORDS.findall(text.lower()) if _PLACEHOLDER.fullmatch(text.strip()) else []
    return any(word in _SAYS_SO or not word.isascii() for word in words)


def find_file(path: str, folder: Path) -> Path | None:
    """The file at `path`, relative to the current directory or else to `folder`; None when there is none."""
    for candidate in (Path(path), folder / path):
        if candidate.is_file():
            return candidate
    return None


def passed_over(path: str, folder: Path) -> Path | None:
    """The file in `folder` that `find_file` does not take for `path`, because another one is in the current directory."""
    here, beside = Path(path), folder / path
    if not (here.is_file() and beside.is_file()) or filecmp.cmp(here, beside, shallow=False):
        return None
    return beside


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
