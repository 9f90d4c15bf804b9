"""What must not be written down: the secrets of a config and of the environment, and whether a job or task gives one away."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox.config.model import SandboxConfig
from djsandbox.redact import hide_in, secrets_in, secrets_in_environment


def secrets_of(config: SandboxConfig) -> frozenset[str]:
    """Values of the config that must not be written down, wherever they turn up."""
    found = secrets_in(config.positions.data if config.positions else {})
    for job in config.jobs():
        for block in (job.dj_configs, job.extra_configs):
            found |= secrets_in(block.document.data if block.document else {})
        found |= secrets_in({value.target.text.rpartition(".")[2]: value.value for value in job.local})
    return found


def secret_held(value: Any, of_config: Collection[str]) -> str | None:
    """Whose secret `value`, nested plain data, holds, in words; None where it holds none.

    A path that exists holds none of the environment: its folders' names may well be what a variable like DB_PASSWORD says.
    """
    if not isinstance(value, (str, Mapping, list, tuple)):  # a number, as most are: there is no text to search
        return None
    if _holds(value, of_config):
        return "a secret of the config"
    texts = _without_paths(value)
    return next((whose for whose, secrets in _of_environment() if _holds(texts, secrets)), None)


def secret_argument(argv: Sequence[str], of_config: Collection[str]) -> str | None:
    """Whose secret one of the arguments is or has within (`--key=X`, `Bearer X`), in words; None where there is none.

    A part of a path or of a longer word is none.
    """
    for whose, secrets in [("a secret of the config", of_config), *_of_environment()]:
        alone = [re.compile(rf"(?<![\w./-]){re.escape(secret)}(?![\w./-])") for secret in secrets]
        if any(secret.search(text) for secret in alone for text in argv):
            return whose
    return None


def _of_environment() -> Iterator[tuple[str, frozenset[str]]]:
    """The secrets of each variable that has any, with words for whose they are."""
    for name, text in os.environ.items():
        if secrets := secrets_in_environment({name: text}):
            yield f"the value of the environment variable {name}, which is a secret by its name", secrets


def _holds(value: Any, secrets: Collection[str]) -> bool:
    return bool(secrets) and hide_in(value, secrets) != value


def _without_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_paths(item) for item in value]
    return "" if isinstance(value, str) and _exists(value) else value


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False
