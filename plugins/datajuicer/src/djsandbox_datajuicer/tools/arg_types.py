"""What an annotation of a Data-Juicer operator or config key says about its values."""

from __future__ import annotations

import ast
from typing import Any

_PLAIN: dict[str, dict[str, Any]] = {
    "int": {"type": "int"},
    "float": {"type": "float"},
    "str": {"type": "str"},
    "bool": {"type": "bool"},
    "list": {"type": "list"},
    "dict": {"type": "dict"},
    "List": {"type": "list"},
    "Dict": {"type": "dict"},
    "Tuple": {"type": "list"},
    "Sequence": {"type": "list"},
    "PositiveInt": {"type": "int", "ge": 1},
    "NonNegativeInt": {"type": "int", "ge": 0},
    "PositiveFloat": {"type": "float", "gt": 0},
    "NonNegativeFloat": {"type": "float", "ge": 0},
    "ClosedUnitInterval": {"type": "float", "ge": 0, "le": 1},
}
_LIMITS = ("ge", "gt", "le", "lt")


def describe_type(annotation: ast.expr | None) -> dict[str, Any]:
    """`type` (one name, or several joined by `|`) and limits; empty where nothing can be checked."""
    alternatives = _alternatives(annotation)
    if alternatives is None or not alternatives:
        return {}
    if len(alternatives) == 1:
        return alternatives[0]
    return {"type": "|".join(sorted({alternative["type"] for alternative in alternatives}))}


def _alternatives(node: ast.expr | None) -> list[dict[str, Any]] | None:
    """The types a value may have; None where one of them is unknown."""
    match node:
        case ast.Name(id=name):
            return [dict(_PLAIN[name])] if name in _PLAIN else None
        case ast.Constant(value=None):
            return []
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return _alternatives(inner)
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=members)):
            return _merged(members)
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *notes])):
            return _limited(_alternatives(inner), notes)
        case ast.Subscript(value=ast.Name(id="Literal")):
            return None
        case ast.Subscript(value=ast.Name(id=name)):
            return [dict(_PLAIN[name])] if name in _PLAIN else None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _merged([left, right])
    return None


def _merged(members: list[ast.expr]) -> list[dict[str, Any]] | None:
    merged: list[dict[str, Any]] = []
    for member in members:
        found = _alternatives(member)
        if found is None:
            return None
        merged.extend(found)
    return merged


def _limited(alternatives: list[dict[str, Any]] | None, notes: list[ast.expr]) -> list[dict[str, Any]] | None:
    for note in notes:
        if not isinstance(note, ast.Call):
            continue
        for keyword in note.keywords:
            if keyword.arg in _LIMITS and isinstance(keyword.value, ast.Constant):
                for alternative in alternatives or []:
                    alternative[keyword.arg] = keyword.value.value
    return alternatives
