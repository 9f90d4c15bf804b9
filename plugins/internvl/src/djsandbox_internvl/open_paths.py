"""Paths that are not known yet."""

from __future__ import annotations


def is_open(path: str) -> bool:
    """Whether something only stands in, while planning, for a path that an earlier job will give."""
    return path.startswith("<") and path.endswith(">")
