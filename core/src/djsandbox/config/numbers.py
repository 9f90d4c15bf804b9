"""What counts as a number in configs and results."""

from __future__ import annotations

import sys
from typing import Any, TypeGuard


def is_number(value: Any) -> TypeGuard[int | float]:
    """True for an int or a float; a bool is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_float(value: Any) -> TypeGuard[int | float]:
    """True for a number that a finite float can stand for."""
    return is_number(value) and abs(value) <= sys.float_info.max
