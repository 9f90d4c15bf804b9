"""What is wrong with a local file that a config names: told by what is in it, and where it can be mended."""

from __future__ import annotations

import ast
import os
import traceback
from collections.abc import Mapping
from pathlib import Path

from djsandbox.errors import Position


def defined_in(file: Path, kind: type[ast.ClassDef] | type[ast.FunctionDef], base: str | None = None) -> list[str]:
    """The names that `file` defines at its top, read and not run; none where it cannot be read.

    Of classes, those that the file derives from the one called `base`; where it derives none from that, all that have a base,
    less those of configs.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    found = [node for node in tree.body if isinstance(node, kind) and not node.name.startswith("_")]
    if base is None:
        return [node.name for node in found]
    bases = {node.name: [_name(one) for one in node.bases] for node in tree.body if isinstance(node, ast.ClassDef)}
    public = [node.name for node in found]
    derived = [name for name in public if _derives(name, base, bases)]
    return derived or [name for name in public if bases[name] and not any(one.endswith("Config") for one in bases[name])]


def place_of(error: BaseException, folder: Path) -> Position | None:
    """The line of a file in `folder` or below that raised `error`, or whose syntax it is; None where it is none of these."""
    if isinstance(error, SyntaxError) and error.filename and _is_below(error.filename, folder):
        return Position(_shown(error.filename), error.lineno or 0)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_below(frame.filename, folder)]
    return Position(_shown(frames[-1].filename), frames[-1].lineno or 0) if frames else None


def _derives(name: str, base: str, bases: Mapping[str, list[str]], seen: frozenset[str] = frozenset()) -> bool:
    if name in seen:
        return False
    return any(one == base or _derives(one, base, bases, seen | {name}) for one in bases.get(name, ()))


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_below(file: str, folder: Path) -> bool:
    return Path(file).is_absolute() and folder in Path(file).parents


def _shown(file: str) -> str:
    near = os.path.relpath(file)
    return file if near.startswith(os.pardir) else near
