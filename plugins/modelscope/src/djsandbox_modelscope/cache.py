"""Whether a model of the hub has been downloaded before, told from ModelScope's cache without ModelScope."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where ModelScope keeps its downloads."""
    return Path(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope").expanduser()


def is_cached(model: str) -> bool:
    """Whether something of the model is there, in one of the places where releases of ModelScope have put it."""
    owner, name = model.split("/", 1)
    base, safe = cache_folder(), name.replace(".", "___")
    places = (
        base / "models" / f"{owner}--{name}" / "snapshots",
        *(base / above / owner / last for above in ("models", "hub/models", "hub", "") for last in (safe, name)),
    )
    return any(place.is_dir() and any(place.iterdir()) for place in places)
