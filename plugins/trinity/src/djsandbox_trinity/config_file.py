"""Trinity's config files: read, looked into, and written anew with what a job changes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from djsandbox.errors import ComponentError

Loc = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{oc\.env:\s*(?P<name>\w+)\s*(?:,(?P<default>[^{}]*))?\}")


def read_config(path: str) -> dict[str, Any]:
    """The mapping in a config file, its `${...}` untouched. ComponentError, with the line, where it has none."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"the Trinity config {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise ComponentError(f"{where}: the Trinity config is no YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"a {type(data).__name__}"
        raise ComponentError(f"the Trinity config {path} holds {found}, where a mapping is wanted")
    return data


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `changes` say: mappings key by key, anything else as a whole."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def at(*keys: str, value: Any) -> dict[str, Any]:
    """Nested mappings that lead to `value` by `keys`."""
    for key in reversed(keys):
        value = {key: value}
    result: dict[str, Any] = value
    return result


def get(data: Any, *loc: str | int) -> Any:
    """What lies at `loc`; None where nothing does."""
    for key in loc:
        if isinstance(data, Mapping):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return None
    return data


def resolved(text: str) -> str | None:
    """A text with its `${oc.env:NAME,default}` replaced, as Trinity will; None where that cannot be told from here."""
    replaced = _VARIABLE.sub(lambda found: os.environ.get(found["name"], found["default"] or "\0").strip(), text)
    return None if "${" in replaced or "\0" in replaced else replaced


def whole_number(data: Any, *loc: str | int, default: int) -> int | None:
    """The whole number at `loc`, or the default; None where it is something else, such as a `${...}`."""
    value = get(data, *loc)
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def line_of(path: str, loc: Sequence[str | int]) -> str:
    """`file:line` of a key in a config file; the file alone where it has no such key."""
    try:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return path
    line = None
    for key in loc:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((name, value) for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            found = (node.value[key], node.value[key])
        if found is None:
            return path
        line, node = found[0].start_mark.line + 1, found[1]
    return path if line is None else f"{path}:{line}"
