"""Secrets out of everything that is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "***"

_SECRET_WORDS = {"token", "secret", "password", "passwd", "credential", "credentials", "passphrase"}
_SECRET_KEYS = re.compile(r"(?:^|_)(?:api|access|private|secret|auth|ssh|signing|encryption|account|service)_?keys?$|^apikey$")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_secret(name: str) -> bool:
    """True for the name of a value that must not be shown: `api_key`, `HF_TOKEN`, `dbPassword`; not for `text_key`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return any(word in _SECRET_WORDS for word in words) or bool(_SECRET_KEYS.search("_".join(words)))


def redacted(value: Any) -> Any:
    """A copy of `value` in which secrets of mappings are replaced by asterisks; empty ones stay visible as missing."""
    if isinstance(value, Mapping):
        return {key: REDACTED if item and is_secret(str(key)) else redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value
