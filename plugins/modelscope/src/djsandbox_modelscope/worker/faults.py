"""What the user can mend, told without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable


class Fault(Exception):
    """Something that the user can mend: what is wrong, and what helps."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n    {self.fix}" if self.fix else self.message


def told(work: Callable[[], None]) -> int:
    """Do the work; the exit code, 1 where a fault has been told."""
    try:
        work()
    except Fault as fault:
        sys.stderr.write(f"ERROR: {fault}\n")
        return 1
    return 0
