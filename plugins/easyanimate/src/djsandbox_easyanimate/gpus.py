"""How many GPUs there are, as far as that can be told at once."""

from __future__ import annotations

import os
from pathlib import Path

_DRIVER = Path("/proc/driver/nvidia/gpus")


def visible_gpus() -> int:
    """The GPUs that CUDA_VISIBLE_DEVICES names, else those of the NVIDIA driver; 0 where none is known of."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return len(list(_DRIVER.iterdir())) if _DRIVER.is_dir() else 0
    found: set[str] = set()
    for item in named.split(","):
        if not item.strip() or item.strip().startswith("-"):
            break
        found.add(item.strip())
    return len(found)
