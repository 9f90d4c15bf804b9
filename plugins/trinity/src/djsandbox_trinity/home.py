"""The user's own checkout of Trinity-RFT, `trinity_home`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from djsandbox import Finding, is_decided_at_run

SOURCE = "trinity-source"
"""The recipe around a checkout."""
PROOF = ("pyproject.toml", "trinity/cli/launcher.py")
"""Files that every checkout has."""
_NAME = "trinity"


def home_change(home: str | None) -> dict[str, Any]:
    """What a checkout changes in the recipe; nothing where it is none, which is said of the key and not of the recipe."""
    return {"homes": {_NAME: home}} if home is not None and _is_usable(home) else {}


def has_home(config: Any) -> bool:
    """Whether a checkout of the user's takes the place of the release."""
    return bool(home_change(config.trinity_home) or config.env_params.get("homes"))


def home_findings(home: str | None) -> Iterator[Finding]:
    """A folder that is no checkout; that there is none at all is said elsewhere."""
    if home is not None and not is_decided_at_run(home) and Path(home).exists() and not _is_usable(home):
        missing = next(name for name in PROOF if not _place(home, name).is_file())
        fix = (
            "give the folder of a clone of github.com/modelscope/Trinity-RFT, or leave it out: then release 0.6.0 is installed"
        )
        yield Finding(("trinity_home",), f"'{home}' is no checkout of Trinity-RFT: it has no {missing}", fix)


def _is_usable(home: str) -> bool:
    return is_decided_at_run(home) or all(_place(home, name).is_file() for name in PROOF)


def _place(home: str, name: str) -> Path:
    return Path(home).expanduser() / name
