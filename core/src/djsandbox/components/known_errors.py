"""The contract of known errors: what outside tools print when they fail, why they do, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class KnownError:
    """An error that is recognised by a line in the log of what has failed, and answered with its remedy.

    Plugins register them in the group `djsandbox.known_errors`, one by one or in a tuple.

    Args:
        name: What it is, in a few words: "java is missing".
        pattern: A regular expression, looked for in each line by itself (`re.search`); `(?i)` at its beginning ignores case.
        explanation: Why it happens.
        remedy: What to do.
    """

    name: str
    pattern: str
    explanation: str
    remedy: str

    def __post_init__(self) -> None:
        for field in fields(self):
            text = getattr(self, field.name)
            if not isinstance(text, str):
                raise TypeError(f"the {field.name} of a known error is a text, not {type(text).__name__}")
            if not text.strip():
                raise ValueError(f"known error '{self.name}': its {field.name} is empty")
        try:
            compiled = re.compile(self.pattern)
        except re.error as error:
            message = f"known error '{self.name}': {self.pattern!r} is no regular expression: {error}"
            raise ValueError(message) from error
        if compiled.search(""):
            raise ValueError(f"known error '{self.name}': {self.pattern!r} matches an empty line, and so every line")
