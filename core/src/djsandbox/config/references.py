"""Addresses in a sandbox config: what `input` reads, and which part of a job `input` and `local` write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Block = Literal["dj_configs", "extra_configs"]
BLOCKS: tuple[Block, ...] = ("dj_configs", "extra_configs")


@dataclass(frozen=True, slots=True)
class Reference:
    """`pipeline.meta_name.key[.nested...]`, or `-1.key[.nested...]` for the last job that has outputs.

    `pipeline` and `meta_name` are None for `-1`. `text` is what the user wrote.
    """

    text: str
    pipeline: str | None
    meta_name: str | None
    path: tuple[str, ...]

    @property
    def is_last(self) -> bool:
        """True for `-1.key`."""
        return self.pipeline is None

    @property
    def key(self) -> str:
        """The name of the output."""
        return self.path[0]


def parse_reference(text: str) -> Reference:
    """Parse a reference; ValueError with the expected form when it is not one."""
    parts = text.split(".") if isinstance(text, str) else []
    if not all(parts):
        parts = []
    if parts[:1] == ["-1"] and len(parts) >= 2:
        return Reference(text, None, None, tuple(parts[1:]))
    if len(parts) >= 3 and parts[0] != "-1":
        return Reference(text, parts[0], parts[1], tuple(parts[2:]))
    raise ValueError(f"'{text}' is not a reference; write pipeline.meta_name.key or -1.key")


@dataclass(frozen=True, slots=True)
class Target:
    """`dj_configs[.key...]` or `extra_configs[.key...]`: the place of a job that a value goes to."""

    text: str
    block: Block
    path: tuple[str, ...]


def parse_target(text: str) -> Target:
    """Parse a target; ValueError with the expected form when it is not one."""
    head, *path = text.split(".") if isinstance(text, str) else [""]
    for block in BLOCKS:
        if head == block and all(path):
            return Target(text, block, tuple(path))
    raise ValueError(f"'{text}' is not a place in this job; it begins with dj_configs or extra_configs")
