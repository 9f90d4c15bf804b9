"""Evaluation results on their way to the watcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from djsandbox.components.context import Watcher


def watch_result(watcher: Watcher, result: Any) -> None:
    """Record `result` under the job's meta_name; lists and tuples of results are numbered from 0."""
    parts = _numbered(result)
    if parts is not None:
        watcher.watch(parts)


def _numbered(result: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return {str(at): part for at, item in enumerate(result) if (part := _numbered(item)) is not None} or None
    if isinstance(result, Mapping):
        return {str(key): part for key, item in result.items() if (part := _numbered(item)) is not None} or None
    # Anything else (a frame, an object) is an output, not a metric.
    return result if isinstance(result, (str, int, float)) or hasattr(result, "dtype") else None
