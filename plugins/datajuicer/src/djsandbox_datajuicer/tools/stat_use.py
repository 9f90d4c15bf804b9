"""Which statistics an operator's class computes, which of its arguments bound them, and which do not change them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from djsandbox_datajuicer.tools.op_classes import OpClass, lineage, methods

_PROCESS = ("process_single", "process_batched")
_HARMLESS_CALLS = frozenset(
    {"isinstance", "size_to_bytes", "len", "float", "int", "str", "set", "list", "Fraction", "ValueError"}
)


def effective_methods(op: OpClass, classes: dict[str, OpClass]) -> dict[str, ast.FunctionDef]:
    """Method name -> the definition that runs, inherited ones included (not those of the generic operator classes)."""
    found: dict[str, ast.FunctionDef] = {}
    for ancestor in lineage(op, classes):
        for name, method in methods(ancestor).items():
            found.setdefault(name, method)
    return found


def statistics(running: dict[str, ast.FunctionDef], names: dict[str, str]) -> list[str] | None:
    """Keys under `__dj__stats__` that the methods name, in order; None where one is known at run time only."""
    found: list[str] = []
    for name, method in running.items():
        if name == "__init__":
            continue
        for node in ast.walk(method):
            key = _stat_name(node, names)
            if key is not None and key not in found:
                found.append(key)
            elif key is None and _stores_a_stat(node) and _stat_name(node.slice, names) is None:  # type: ignore[attr-defined]
                return None
    return sorted(found)


def bounds(op: OpClass, classes: dict[str, OpClass], names: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Argument -> {"side": "min" | "max", "stat": key, "switch": {argument: key used where that argument is true}}."""
    running = effective_methods(op, classes)
    attributes = _attribute_sources(op, classes)
    all_stats = statistics(running, names) or []
    found: dict[str, dict[str, Any]] = {}
    for method in (running[name] for name in _PROCESS if name in running):
        flow = _Flow(method, names)
        for call in _keep_calls(method):
            stat = flow.stat_of(call.args[0]) or ({"stat": all_stats[0]} if len(all_stats) == 1 else None)
            if stat is None:
                continue
            limits = {**dict(zip(("min", "max"), call.args[1:], strict=False)), **_limit_keywords(call)}
            for side, limit in limits.items():
                argument = attributes.get(_self_attribute(limit) or "")
                if argument is not None:
                    found[argument] = {"side": side, **stat}
    return found


def stat_free_arguments(op: OpClass, classes: dict[str, OpClass], arguments: list[str]) -> list[str]:
    """Arguments that only decide which samples are kept: the statistics are the same whatever their value."""
    running = effective_methods(op, classes)
    read_elsewhere = {
        attribute
        for name, method in running.items()
        if name not in (*_PROCESS, "__init__")
        for attribute in _attributes_read(method)
    }
    return [name for name in arguments if _only_decides(name, op, classes, read_elsewhere)]


def _only_decides(name: str, op: OpClass, classes: dict[str, OpClass], read_elsewhere: set[str]) -> bool:
    for ancestor in lineage(op, classes):
        init = methods(ancestor).get("__init__")
        if init is None or name not in _parameters(init):
            continue
        delegated = _delegated(init)
        for statement in init.body:
            if isinstance(statement, ast.Expr) and _is_super_init(statement.value):
                if name in delegated and not _takes_further(name, ancestor, classes):
                    return False
            elif not _harmless(statement, name, read_elsewhere):
                return False
    return True


def _takes_further(name: str, op: OpClass, classes: dict[str, OpClass]) -> bool:
    """Whether a class above `op` has an argument of the same name, which is then looked at itself."""
    return any(
        name in _parameters(init)
        for ancestor in lineage(op, classes)[1:]
        if (init := methods(ancestor).get("__init__")) is not None
    )


def _harmless(statement: ast.stmt, name: str, read_elsewhere: set[str]) -> bool:
    if not _mentions(statement, name):
        return True
    calls = {_called(node) for node in ast.walk(statement) if isinstance(node, ast.Call) and _mentions(node, name)}
    if not calls <= _HARMLESS_CALLS:
        return False
    if isinstance(statement, ast.If):
        inner = [*statement.body, *statement.orelse]
        written = {target for item in inner for target in _attributes_written(item)}
        locals_set = any(isinstance(t, ast.Name) for item in inner if isinstance(item, ast.Assign) for t in item.targets)
        return not locals_set and not written & read_elsewhere and all(_harmless(i, name, read_elsewhere) for i in inner)
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        written = set(_attributes_written(statement))
        return bool(written) and not written & read_elsewhere
    return isinstance(statement, (ast.Raise, ast.Assert))


def _attribute_sources(op: OpClass, classes: dict[str, OpClass]) -> dict[str, str]:
    """Attribute -> the argument of `__init__` it is set from."""
    sources: dict[str, str] = {}
    for ancestor in lineage(op, classes):
        init = methods(ancestor).get("__init__")
        if init is None:
            continue
        parameters = set(_parameters(init))
        for node in ast.walk(init):
            if isinstance(node, ast.Assign):
                used = [item.id for item in ast.walk(node.value) if isinstance(item, ast.Name) and item.id in parameters]
                for attribute in _attributes_written(node):
                    if len(set(used)) == 1:
                        sources.setdefault(attribute, used[0])
    return sources


class _Flow:
    """Follows statistics through the local names of one `process` method."""

    def __init__(self, method: ast.FunctionDef, names: dict[str, str]) -> None:
        self._names = names
        self._known: dict[str, dict[str, Any]] = {}
        functions = {node.name: node for node in ast.walk(method) if isinstance(node, ast.FunctionDef)}
        for _ in range(3):  # values reach nested functions and comprehensions in a pass or two
            for node in ast.walk(method):
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        self._bind(name, value)
                    case ast.comprehension(target=target, iter=source):
                        self._bind_loop(target, source)
                    case ast.Call(func=ast.Name(id=name), args=values) if name in functions:
                        parameters = _parameters(functions[name])
                        for parameter, value in zip(parameters, values, strict=False):
                            self._bind(parameter, value)

    def stat_of(self, node: ast.expr) -> dict[str, Any] | None:
        """The statistic that `node` is made from, None where it is not clear."""
        match node:
            case ast.Name(id=name):
                return self._known.get(name)
            case ast.Attribute() if _stat_name(node, self._names):
                return {"stat": _stat_name(node, self._names)}
            case ast.Subscript(value=value, slice=key):
                return self.stat_of(key) or self.stat_of(value)
            case ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
                return self.stat_of(key)
            case ast.Call(func=ast.Name(id="float"), args=[value]):
                return self.stat_of(value)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen, other, switch = self.stat_of(body), self.stat_of(orelse), _self_attribute(test)
                if chosen and other and switch:
                    return {"stat": other["stat"], "switch": {switch: chosen["stat"]}}
        return None

    def _bind(self, name: str, value: ast.expr) -> None:
        stat = self.stat_of(value)
        if stat is not None:
            self._known[name] = stat

    def _bind_loop(self, target: ast.expr, source: ast.expr) -> None:
        match target, source:
            case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=sources):
                for item, values in zip(targets, sources, strict=False):
                    self._bind_loop(item, values)
            case ast.Name(id=name), _:
                self._bind(name, source)


def _stat_name(node: ast.AST, names: dict[str, str]) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id="StatsKeys"), attr=attribute):
            return names.get(attribute)
    return None


def _stores_a_stat(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(
            value=ast.Subscript(slice=ast.Attribute(value=ast.Name(id="Fields"), attr="stats")), ctx=ast.Store()
        ):
            return True
    return False


def _keep_calls(method: ast.FunctionDef) -> Iterator[ast.Call]:
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_keep_boolean":
            yield node


def _limit_keywords(call: ast.Call) -> dict[str, ast.expr]:
    sides = {"min_val": "min", "max_val": "max"}
    return {sides[item.arg]: item.value for item in call.keywords if item.arg in sides}


def _self_attribute(node: ast.expr) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            return attribute
    return None


def _attributes_read(method: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(method):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute, ctx=ast.Load()):
                yield attribute


def _attributes_written(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute, ctx=ast.Store()):
                yield attribute


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [item.arg for item in (*function.args.args, *function.args.kwonlyargs) if item.arg != "self"]


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(item, ast.Name) and item.id == name for item in ast.walk(node))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else "?"


def _is_super_init(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__")):
            return True
    return False


def _delegated(init: ast.FunctionDef) -> set[str]:
    return {
        item.id
        for statement in init.body
        if isinstance(statement, ast.Expr) and _is_super_init(statement.value)
        for item in ast.walk(statement)
        if isinstance(item, ast.Name)
    }
