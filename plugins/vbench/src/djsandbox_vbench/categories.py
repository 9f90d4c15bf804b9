"""The prompts of a content category: VBench's mode `vbench_category`.

VBench itself cannot evaluate one: it looks for the prompts in its own package, where no release has them. What it would do with
them is what it does with a prompt list: so they are made into one, each prompt for all dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.prompts import Prompt

_FORM = "a text file with a prompt a line, such as prompts/prompts_per_category/animal.txt of VBench's repository"


def read_category(path: str | Path, dimensions: Sequence[str]) -> list[Prompt]:
    """The prompts in a text file, each for all `dimensions`; ComponentError where it has none, or names one twice."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise ComponentError(
            f"the prompts of the category cannot be read: {error}", where=Position(str(path)), fix=_FORM
        ) from error
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise ComponentError("there is no prompt in it", where=Position(str(path)), fix=_FORM)
    if texts[0].startswith(("[", "{")):
        raise ComponentError("it looks like JSON, and not like a prompt a line", where=Position(str(path)), fix=_FORM)
    twice = next((text for at, text in enumerate(texts) if text in texts[:at]), None)
    if twice is not None:
        raise ComponentError(f"the prompt '{twice}' stands in it twice", where=Position(str(path)), fix="leave one of them out")
    return [Prompt(text, frozenset(dimensions)) for text in texts]


def write_list(prompts: Sequence[Prompt], dimensions: Sequence[str], target: Path) -> Path:
    """Write a prompt list in VBench's format; its path."""
    rows = [{"prompt_en": prompt.text, "dimension": list(dimensions)} for prompt in prompts]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return target
