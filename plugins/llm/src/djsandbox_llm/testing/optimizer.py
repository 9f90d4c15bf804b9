"""A writer of prompts, in the place of a language model: it takes an example and adds one instruction to it.

It does not know which instructions are of any use; which of its prompts are better is for the experiment to find out.
"""

from __future__ import annotations

import hashlib
import threading

MARKS = ("[PROMPT]", "【提示词】")

INSTRUCTIONS = (
    "Reward a friendly tone.",
    "Recalculate every step.",
    "Prefer short solutions.",
    "Compare the final answer with the result of the last step.",
    "Accept no value that is not one of the numbers of the question or an earlier result.",
)


class Optimizer:
    """Remembers what it has added to which prompt, as a model's temperature would see to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._added: dict[str, set[str]] = {}

    def write(self, text: str) -> str:
        """A new prompt, after the mark that stands before the examples in `text`."""
        mark = next(mark for mark in MARKS if mark in text)
        examples = [part.partition("\n\n")[0].strip() for part in text.split(mark)[1:]]
        examples = [part.splitlines()[0] if mark == "【提示词】" and part else part for part in examples]
        base = examples[0] if examples else ""
        with self._lock:
            added = self._added.setdefault(base, set())
            missing = [one for one in _shuffled(base) if one not in base]
            new = next((one for one in missing if one not in added), missing[0] if missing else "")
            added.add(new)
        return f"{mark}\n{f'{base} {new}'.strip()}\n"


def _shuffled(base: str) -> list[str]:
    return sorted(INSTRUCTIONS, key=lambda one: hashlib.sha256(f"{base}|{one}".encode()).digest())
