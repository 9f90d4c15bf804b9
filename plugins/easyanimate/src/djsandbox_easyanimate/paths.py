"""Paths of the `train:` block: relative to the folder of EasyAnimate, as the existing sandbox has them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from djsandbox import is_decided_at_run

from djsandbox_easyanimate.home import DEFAULT_HOME

PathsFrom = Literal["home", "here"]
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_PLACEHOLDER = re.compile(r"(?i)^/?path/to\b|[<>]")

Place = tuple[str, str]


def from_here(train: Any, places: tuple[Place, ...], model_keys: tuple[Place, ...], base: str) -> Any:
    """The `train:` block with its paths relative to the current directory instead of to `base`.

    `places` are the blocks and keys that hold paths, `model_keys` those that hold a path or the name of a model on a hub.
    """
    if not isinstance(train, Mapping):
        return train
    changed = dict(train)
    for block, key in (*places, *model_keys):
        inner = changed.get(block)
        value = inner.get(key) if isinstance(inner, Mapping) else None
        if isinstance(value, str) and isinstance(inner, Mapping):
            is_path = (block, key) in places or not is_hub_name(value, base)
            changed[block] = {**inner, key: moved(value, base) if is_path else value}
        elif isinstance(value, list) and isinstance(inner, Mapping):
            changed[block] = {**inner, key: [moved(one, base) if isinstance(one, str) else one for one in value]}
    return changed


def moved(path: str, base: str) -> str | None:
    """`path`, which is relative to `base`, relative to the current directory where it is in there; None for an empty one."""
    if not path.strip():
        return None
    if os.path.isabs(path) or base == os.curdir or is_decided_at_run(path) or is_placeholder(path):
        return path
    if not path.startswith("..") and not os.path.exists(os.path.join(base, path)) and os.path.exists(path):
        return path  # what an earlier job has handed over is relative to the current directory
    found = os.path.normpath(os.path.join(base, path))
    inside = os.path.relpath(found)
    return found if inside.startswith(os.pardir) else inside


def base_of(home: Any, paths_from: Any) -> str:
    """What the paths of the `train:` block are relative to."""
    if paths_from == "here":
        return os.curdir
    return home if isinstance(home, str) and home and not is_decided_at_run(home) else DEFAULT_HOME


def is_hub_name(value: str, base: str) -> bool:
    """Whether `value` is the name of a model on a hub, and no folder."""
    return bool(_HUB_NAME.fullmatch(value)) and not os.path.exists(os.path.join(base, value)) and not os.path.exists(value)


def is_placeholder(value: str) -> bool:
    """Whether nobody has replaced what the examples have in the place of a path."""
    return bool(_PLACEHOLDER.search(value)) and not is_decided_at_run(value)
