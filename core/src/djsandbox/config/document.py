"""YAML and JSON files as plain data that remembers where each value stood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from djsandbox.config.nested import set_at
from djsandbox.errors import ConfigError, Position

Loc = tuple[str | int, ...]

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[valid-type,misc]
    """Safe YAML in which `3e-4` is a number, as in YAML 1.2 and JSON."""


class _Dumper(yaml.SafeDumper):
    """Puts into quotes what `_Loader` would not read as the text it is."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Escape what YAML takes for line breaks, too: unescaped they are read as spaces."""
        style = '"' if any(mark in data for mark in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)
for _reader in (_Loader, _Dumper):
    _reader.yaml_implicit_resolvers = {key: list(value) for key, value in _reader.yaml_implicit_resolvers.items()}
    _reader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
    )


FULL_WIDTH = "：，“”‘’［］｛｝（）、"
_TAB = re.compile(r" *\t")
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one file, or of a part of it.

    `positions` maps the path of a value (keys and indices, from the top of the file) to its place; `base` is the path of this
    part. `moved` has the places of values that were put in from elsewhere, by their path in this part.
    """

    data: Any
    file: str
    positions: Mapping[Loc, Position] = field(default_factory=dict)
    base: Loc = ()
    moved: Mapping[Loc, Position] = field(default_factory=dict)

    def at(self, loc: Loc) -> Position:
        """The place of the value at `loc`, or of the nearest thing around it that has one."""
        for end in range(len(loc), -1, -1):
            found = self.moved.get(loc[:end])
            if found is not None:
                return found
        whole = self.base + loc
        for end in range(len(whole), -1, -1):
            found = self.positions.get(whole[:end])
            if found is not None:
                return found
        return Position(self.file)

    def part(self, loc: Loc) -> Document:
        """The document below `loc`, with its places."""
        data = self.data
        for step in loc:
            data = data[step]
        size = len(loc)
        moved = {place[size:]: where for place, where in self.moved.items() if place[:size] == loc}
        return Document(data, self.file, self.positions, self.base + loc, moved)

    def with_value(self, loc: Loc, value: Any, where: Position) -> Document:
        """This document with `value`, which stands at `where`, at `loc`; KeyError where that is impossible."""
        data = set_at(self.data, loc, value)
        moved = {place: found for place, found in self.moved.items() if place[: len(loc)] != loc}
        moved[loc] = where
        for size in range(len(loc) - 1, 0, -1):
            # Mappings made on the way have no place in the file.
            if self.base + loc[:size] not in self.positions and loc[:size] not in moved:
                moved[loc[:size]] = where
        return Document(data, self.file, self.positions, self.base, moved)

    def with_data(self, data: Any) -> Document:
        """The same places with other data: keys were taken out."""
        return Document(data, self.file, self.positions, self.base, self.moved)

    def rewritten(self, data: Any, file: str) -> Document:
        """The document `file`, which will be made from this one: what both have keeps its place here."""
        return Document(data, file, {(): Position(file)}, moved={loc: self.at(loc) for loc in _shared(self.data, data, ())})


def read_document(path: str | Path) -> Document:
    """The YAML or JSON file at `path`; ConfigError when it cannot be read or parsed."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot read {path}: {reason}", where=Position(str(path))) from error
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """`text` as a document of the name `file`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(None, file, {(): Position(file, 1)})
        positions: dict[Loc, Position] = {}
        data = _build(loader, node, (), file, positions)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        if _is_about_tab(error.problem or "") and any(map(_TAB.match, text.splitlines()[where.line - 1 : where.line])):
            raise ConfigError("not valid YAML: tabs cannot indent", where=where, fix="use spaces") from error
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(f"not valid YAML: {reason}", where=where, fix=_remedy(text, where.line)) from error
    except RecursionError as error:
        raise ConfigError(
            "not valid YAML: an alias contains itself", where=Position(file), fix="write its content out"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=Position(file)) from error
    finally:
        loader.dispose()
    return Document(data, file, positions)


def _shared(one: Any, other: Any, loc: Loc) -> Iterator[Loc]:
    """The places of all that `one` and `other` have in common; of mappings and lists, those with the same keys and sizes."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() == other.keys():
            yield loc
        steps: Iterable[str | int] = [key for key in one if key in other]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        yield loc
        steps = range(len(one))
    elif one == other:
        yield loc
        return
    else:
        return
    for step in steps:
        yield from _shared(one[step], other[step], (*loc, step))


def dump_yaml(data: Any) -> str:
    """`data` as YAML that `parse_document` reads as the same."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def _is_about_tab(problem: str) -> bool:
    return "tab character" in problem or "cannot start any token" in problem


def _remedy(text: str, line: int) -> str:
    """What to do about a line that cannot be parsed; the mistake may stand in the one before it."""
    lines = text.splitlines()
    for number in (line, line - 1):
        found = [mark for mark in FULL_WIDTH if 0 < number <= len(lines) and mark in lines[number - 1]]
        if found:
            return f"line {number} has the full-width '{found[0]}': YAML needs the ASCII character"
    return "check indentation, quotes and colons there, and in the line before"


def _build(loader: Any, node: yaml.Node, loc: Loc, file: str, positions: dict[Loc, Position]) -> Any:
    positions[loc] = _place(node, file)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        raise ConfigError(f"the tag {node.tag} is not allowed here", where=_place(node, file), fix="write plain YAML")
    if isinstance(node, yaml.MappingNode):
        _refuse_repeated_keys(node, file)
        loader.flatten_mapping(node)
        result = {}
        for key_node, value_node in node.value:
            key = _key(loader, key_node, file)
            result[key] = _build(loader, value_node, (*loc, key), file, positions)
            positions[(*loc, key)] = _place(key_node, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*loc, index), file, positions) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def _key(loader: Any, node: yaml.Node, file: str) -> str | int:
    key = loader.construct_object(node, deep=True)
    if isinstance(key, (str, int)) and not isinstance(key, bool):
        return key
    raise ConfigError(f"the key {key!r} is not a name", where=_place(node, file), fix="put it in quotes")


def _refuse_repeated_keys(node: yaml.MappingNode, file: str) -> None:
    first: dict[str, yaml.Node] = {}
    for key, _ in node.value:
        earlier = first.setdefault(str(key.value), key)
        if earlier is not key and isinstance(key, yaml.ScalarNode):
            raise ConfigError(
                f"the key '{key.value}' stands twice, first in line {earlier.start_mark.line + 1}",
                where=_place(key, file),
                fix="remove one of the two",
            )


def _place(node: yaml.Node, file: str) -> Position:
    return Position(file, node.start_mark.line + 1, node.start_mark.column + 1)
