"""The operator classes of an installed Data-Juicer, read from its sources without importing it."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_REGISTRY = "OPERATORS"
_OP_KINDS = ("Filter", "Mapper", "Deduplicator", "Selector", "Grouper", "Aggregator", "Pipeline")


@dataclass(frozen=True)
class OpClass:
    """One class of Data-Juicer's sources, with the names it is registered under."""

    node: ast.ClassDef
    source: Path
    constants: dict[str, Any]
    registered: dict[str, list[str]]
    """Registry -> names; an operator is one that `OPERATORS` knows."""

    @property
    def bases(self) -> list[str]:
        """The last names of the base classes, in order."""
        return [_last_name(base) for base in self.node.bases]


def installed_package() -> Path:
    """Folder of the installed package `data_juicer` (which is not imported)."""
    spec = find_spec("data_juicer")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("Data-Juicer is not installed: pip install py-data-juicer")
    return Path(spec.origin).parent


def read_op_classes(package: Path) -> dict[str, OpClass]:
    """Every class under `ops/`, by its name."""
    found: dict[str, OpClass] = {}
    for path in sorted((package / "ops").rglob("*.py")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of escape sequences in sources that are not ours
            tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = dict(_assigned_constants(tree.body, {}))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, OpClass(node, path, constants, _registrations(node, constants)))
    return found


def operators(classes: dict[str, OpClass]) -> Iterator[tuple[str, OpClass]]:
    """(operator name, its class), sorted by name."""
    named = [(name, op) for op in classes.values() for name in op.registered.get(_REGISTRY, [])]
    yield from sorted(named, key=lambda pair: pair[0])


def lineage(op: OpClass, classes: dict[str, OpClass]) -> list[OpClass]:
    """`op` and the classes it inherits from, nearest first, the generic operator classes left out."""
    chain, queue = [op], list(op.bases)
    while queue:
        name = queue.pop(0)
        if name not in _OP_KINDS and name in classes and classes[name] not in chain:
            chain.append(classes[name])
            queue.extend(classes[name].bases)
    return chain


def kind_of(op: OpClass, classes: dict[str, OpClass]) -> str:
    """`filter`, `mapper`, ...: the generic operator class that `op` descends from."""
    for ancestor in lineage(op, classes):
        for base in ancestor.bases:
            if base in _OP_KINDS:
                return base.lower()
    return "op"


def methods(op: OpClass) -> dict[str, ast.FunctionDef]:
    """The methods that the class itself defines."""
    return {item.name: item for item in op.node.body if isinstance(item, ast.FunctionDef)}


def constant(node: ast.expr | None, names: dict[str, Any]) -> Any:
    """The plain value that `node` stands for; raises ValueError where it is none."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -constant(operand, names)
        case ast.Attribute(value=ast.Name(id="sys"), attr="maxsize"):
            return sys.maxsize
        case ast.Attribute(attr="float_info" | "max"):
            return sys.float_info.max
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [constant(item, names) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {constant(key, names): constant(value, names) for key, value in zip(keys, values, strict=True)}
        case ast.JoinedStr(values=parts):
            return "".join(str(constant(part.value if isinstance(part, ast.FormattedValue) else part, names)) for part in parts)
    raise ValueError("not a plain value")


def _assigned_constants(body: list[ast.stmt], names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                names[statement.targets[0].id] = constant(statement.value, names)
            except ValueError:
                continue
            yield statement.targets[0].id, names[statement.targets[0].id]


def _registrations(node: ast.ClassDef, constants: dict[str, Any]) -> dict[str, list[str]]:
    registered: dict[str, list[str]] = {}
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=registry), attr="register_module"), args=[name]):
                registered.setdefault(registry, []).append(str(constant(name, constants)))
    return registered


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
