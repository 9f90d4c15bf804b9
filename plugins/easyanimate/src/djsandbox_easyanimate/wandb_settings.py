"""Weights & Biases, to which the old training reports in any case: without an account, too."""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping

KEPT = ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_MODE")
"""Variables that a training gets from ours."""


def wandb_variables(own: Mapping[str, str], folder: str) -> dict[str, str]:
    """What to set for a training: where its files go, and offline where there is no key. `own` are the environment's."""
    known = {**os.environ, **own}
    settings = {"WANDB_DIR": known.get("WANDB_DIR", folder), "WANDB_SILENT": "true"}
    if "WANDB_MODE" not in known and "WANDB_API_KEY" not in known and not _has_login():
        settings["WANDB_MODE"] = "offline"
    return settings


def _has_login() -> bool:
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False
