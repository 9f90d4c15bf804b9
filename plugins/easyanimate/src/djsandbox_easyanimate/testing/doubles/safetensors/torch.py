"""What of safetensors.torch is called."""

from __future__ import annotations

from typing import Any

from djsandbox_easyanimate.testing.files import read_safetensors


def load_file(path: str) -> dict[str, Any]:
    """The tensors of a file."""
    return read_safetensors(path)
