"""Whether somebody is logged in to W&B here, found out as W&B does but without importing it: `validate` asks."""

from __future__ import annotations

import configparser
import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_URL = "https://api.wandb.ai"


def server() -> str:
    """The address of the W&B server: WANDB_BASE_URL, else what `wandb login --host` wrote down, else W&B's own."""
    return os.environ.get("WANDB_BASE_URL") or _settings().get("base_url") or DEFAULT_URL


def website() -> str:
    """The address of the server's pages."""
    return server().rstrip("/").replace("://api.", "://")


def has_key() -> bool:
    """Whether there is a key for the server, valid or not: in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    try:
        found = netrc.netrc(_netrc_file()).authenticators(urlsplit(server()).netloc)
    except (OSError, netrc.NetrcParseError):
        return False
    return bool(found and found[2])


def mode(wished: str) -> tuple[str, str]:
    """The mode to begin in (online, offline, disabled), and why, where it is not online."""
    given = os.environ.get("WANDB_MODE", "")
    if given == "disabled":
        return "disabled", "WANDB_MODE=disabled"
    if os.environ.get("WANDB_DISABLED", "").lower() in ("true", "1"):
        return "disabled", "WANDB_DISABLED"
    if wished == "offline":
        return "offline", "as 'mode: offline' says"
    if wished == "auto" and given in ("offline", "dryrun"):
        return "offline", f"WANDB_MODE={given}"
    return ("online", "") if has_key() else ("offline", "there is no API key (wandb login)")


def _netrc_file() -> Path:
    named = os.environ.get("NETRC")
    if named:
        return Path(named).expanduser()
    home = Path.home()
    return next((path for path in (home / ".netrc", home / "_netrc") if path.exists()), home / ".netrc")


def _settings() -> dict[str, str]:
    folder = os.environ.get("WANDB_CONFIG_DIR") or Path.home() / ".config" / "wandb"
    found = configparser.ConfigParser(interpolation=None)
    try:
        found.read([Path(folder) / "settings", Path(os.environ.get("WANDB_DIR") or ".") / "wandb" / "settings"])
        return dict(found["default"])
    except (configparser.Error, KeyError, OSError):
        return {}
