"""What of torch is called."""

from __future__ import annotations

import contextlib
from typing import Any

bfloat16, float16, float32, float8_e4m3fn = "bfloat16", "float16", "float32", "float8_e4m3fn"
no_grad = contextlib.nullcontext


class Generator:
    """A generator of random numbers that only knows its seed."""

    def __init__(self, device: str = "cpu") -> None:
        self.seed = 0

    def manual_seed(self, seed: int) -> Generator:
        """Set the seed."""
        self.seed = seed
        return self


def load(path: str, map_location: Any = None, weights_only: bool = True) -> dict[str, Any]:
    """Refuse what is no checkpoint."""
    with open(path, "rb") as file:
        if not file.read(1):
            raise EOFError("Ran out of input")
    return {}
