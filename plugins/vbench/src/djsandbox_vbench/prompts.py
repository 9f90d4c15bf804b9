"""Prompt lists in VBench's format: a JSON list of `{prompt_en, dimension: [...], auxiliary_info?}`."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.dimensions import DIMENSIONS

SMALL_LIST = Path(__file__).with_name("small_prompt_list.json")
"""Our own list, for tests and dry runs: a prompt or two for each dimension."""

VIDEOS_PER_PROMPT = 5


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and the dimensions that its videos are judged in."""

    text: str
    dimensions: frozenset[str]

    def videos(self, extension: str) -> list[str]:
        """The names of the videos that VBench wants of it."""
        return [f"{self.text}-{number}{extension}" for number in range(VIDEOS_PER_PROMPT)]


def read_prompts(path: str | Path) -> list[Prompt]:
    """The prompts of a list; ComponentError, with the entry, where it is none."""
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"the prompt list cannot be read: {error}", where=Position(str(path)), fix=_FORMAT) from error
    if not isinstance(rows, list) or not rows:
        raise ComponentError("the prompt list is no list of prompts, or an empty one", where=Position(str(path)), fix=_FORMAT)
    return [_prompt(row, number, path) for number, row in enumerate(rows, start=1)]


def for_dimensions(prompts: Sequence[Prompt], dimensions: Collection[str]) -> list[Prompt]:
    """Those that are judged in one of `dimensions`."""
    return [prompt for prompt in prompts if not prompt.dimensions.isdisjoint(dimensions)]


def _prompt(row: Any, number: int, path: str | Path) -> Prompt:
    def wrong(what: str) -> ComponentError:
        return ComponentError(f"prompt {number} of the prompt list {what}", where=Position(str(path)), fix=_FORMAT)

    if not isinstance(row, dict):
        raise wrong("is no mapping")
    text, dimensions = row.get("prompt_en"), row.get("dimension")
    if not isinstance(text, str) or not text:
        raise wrong("has no text 'prompt_en'")
    if not isinstance(dimensions, list) or not all(isinstance(name, str) for name in dimensions):
        raise wrong("has no list 'dimension'")
    known = [name for name in dimensions if name in DIMENSIONS]
    needing = [name for name in known if DIMENSIONS[name].needs_prompt_info]
    info = row.get("auxiliary_info")
    for name in needing:
        if not isinstance(info, dict) or name not in info:
            raise wrong(f"('{text}') is for {name}, but says nothing of it in 'auxiliary_info'")
    return Prompt(text, frozenset(dimensions))


_FORMAT = (
    'VBench\'s format is [{"prompt_en": "a red kite", "dimension": ["color"], "auxiliary_info": {"color": {"color": "red"}}}]'
)
