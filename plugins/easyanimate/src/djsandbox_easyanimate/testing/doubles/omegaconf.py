"""What of omegaconf is called; the stand-in's config files are JSON, which is YAML."""

from __future__ import annotations

import json
from typing import Any


class OmegaConf:
    """Reads config files."""

    @staticmethod
    def load(path: str) -> dict[str, Any]:
        """The content of a file."""
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))

    @staticmethod
    def to_container(config: dict[str, Any]) -> dict[str, Any]:
        """As plain data."""
        return dict(config)
