"""Keeping secrets out of what is recorded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

REDACTED = "***"
_SHORTEST_SECRET = 6

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Also where it ends a word: PGPASSWORD, clientsecret.
_ALWAYS = re.compile(".*(?:passwords?|passwd|passphrases?|secrets?|credentials?|(?:api|access|auth|private|secret)keys?)")
# `key` alone names columns far more often than secrets (text_key, label_key): only these words before it make it one.
_BEFORE_KEY = re.compile(
    "api|access|secret|private|auth|account|encryption|signing|ssh|license|subscription|service"
    "|openai|anthropic|azure|aws|gcp|google|dashscope|deepseek|wandb|hf|huggingface|modelscope|oss"
    "|app|client|consumer|master|deploy|host|storage|webhook|kaggle|gemini|mistral|cohere|groq|github|gitlab"
)
# What may follow the name of a secret: API_KEY_2, token_prod.
_QUALIFIER = re.compile("[0-9]+|prod|production|dev|test|testing|staging|live|old|backup|value|read|write|ro|rw|ci")
# `token` alone is one, but not where it is a piece of text or is counted.
_BEFORE_TEXT_TOKEN = re.compile(
    "bos|eos|pad|unk|sep|cls|mask|special|stop|start|end|begin|first|last|next|new|extra|added|prompt|text|context|trigger"
    "|image|video|audio|vision|think|placeholder|max|min|num|per|each"
)
# The plural mostly counts them (max_tokens).
_BEFORE_TOKENS = re.compile("access|auth|api|refresh|bearer|hf")
_URL_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/\s:@]*):(?P<password>[^/\s@]+)@")


def redact(data: Any) -> Any:
    """A copy of nested plain `data` with `***` in place of the values of keys that name a secret, and of passwords in URLs.

    `api_key`, `HF_TOKEN`, `accessToken`, `db_password` name secrets; `text_key`, `key_remapping`, `max_tokens`, `pad_token`
    do not.
    """
    if isinstance(data, Mapping):
        return {key: _hidden(item) if isinstance(key, str) and is_secret(key) else redact(item) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [redact(item) for item in data]
    return _URL_PASSWORD.sub(rf"\g<user>:{REDACTED}@", data) if isinstance(data, str) else data


@lru_cache(4096)
def is_secret(key: str) -> bool:
    """Whether a key of this name holds a secret."""
    words = [word.lower() for word in _WORDS.findall(key)]
    if any(_ALWAYS.fullmatch(word) for word in words):
        return True
    while len(words) > 1 and _QUALIFIER.fullmatch(words[-1]):
        words.pop()
    if key.isupper() and _names_secret_variable(words):
        return True
    *before, last = ["", *words]
    if last in ("key", "keys"):
        return bool(_BEFORE_KEY.fullmatch(before[-1]))
    if last.endswith("token"):
        return not _BEFORE_TEXT_TOKEN.fullmatch(last.removesuffix("token") or before[-1])
    return last == "tokens" and bool(_BEFORE_TOKENS.fullmatch(before[-1]))


def _names_secret_variable(words: Sequence[str]) -> bool:
    """Whether an environment variable of these words does: MY_SERVICE_KEY, OPENAIKEY, GH_TOKEN_FOR_CI, BOT_TOKENS."""
    if any(word.endswith(("key", "keys")) for word in words):
        return True
    if words[-1] in ("path", "file", "dir"):  # where it lies: HF_TOKEN_PATH
        return False
    pairs = zip(["", *words], words, strict=False)
    return any(word in ("token", "tokens") and not _BEFORE_TEXT_TOKEN.fullmatch(before) for before, word in pairs)


def secrets_in(data: Any) -> frozenset[str]:
    """The texts that `redact` would hide in nested plain `data`, as far as they are long enough to be told from others.

    A secret of several lines is in it with each of its lines, too, and each as JSON spells it.
    """
    found: set[str] = set()
    if isinstance(data, Mapping):
        for key, item in data.items():
            found |= _texts(item) if isinstance(key, str) and is_secret(key) else secrets_in(item)
    elif isinstance(data, (list, tuple)):
        for item in data:
            found |= secrets_in(item)
    elif isinstance(data, str):
        for url in _URL_PASSWORD.finditer(data):
            found |= _spellings(url["password"])
    return frozenset(found)


def secrets_in_environment(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """`secrets_in` our own environment, or the one given; the path of a file that holds a secret is none itself."""
    found: frozenset[str] = frozenset()
    for name, value in (os.environ if environment is None else environment).items():
        secrets = secrets_in({name: value})
        if secrets and not (os.path.isabs(value) and os.path.exists(value)):
            found |= secrets
    return found


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with `***` in place of each of `secrets`."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def hide_in(data: Any, secrets: Collection[str]) -> Any:
    """Nested plain `data` with `***` in place of each of `secrets` in its texts, keys included."""
    if not secrets:
        return data
    if isinstance(data, Mapping):
        return {hide_in(key, secrets): hide_in(item, secrets) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [hide_in(item, secrets) for item in data]
    return hide(data, secrets) if isinstance(data, str) else data


def _texts(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {text for item in value.values() for text in _texts(item)}
    if isinstance(value, (list, tuple)):
        return {text for item in value for text in _texts(item)}
    return set() if value is None else _spellings(str(value))


def _spellings(secret: str) -> set[str]:
    parts = {secret, *(line.strip() for line in secret.splitlines())}
    spelled = {json.dumps(part, ensure_ascii=plain)[1:-1] for part in parts for plain in (True, False)}
    return {text for text in parts | spelled if len(text) >= _SHORTEST_SECRET}


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(item) for item in value]
    return value if value is None or value == "" or isinstance(value, bool) else REDACTED
