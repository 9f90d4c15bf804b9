"""What tells environments of one name apart, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from djsandbox.journal.keys import content_key

_MOST = 4
_SHORT = 12
_LONGEST = 40


def told_apart(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each identity (`Resolved.identity`), in a few words, what it has and not all of the others have."""
    said = [list(dict.fromkeys(_words(identity))) for identity in identities]
    shared = set.intersection(*(set(words) for words in said)) if said else set()
    return [_in_short([word for word in words if word not in shared]) for words in said]


def _in_short(words: Sequence[str]) -> str:
    if not words:
        return "nothing that the others lack"
    more = len(words) - _MOST
    return ", ".join([*words[:_MOST], *([f"and {more} more"] if more > 0 else [])])


def _words(identity: Mapping[str, Any]) -> list[str]:
    """All that an environment is made of, the most telling first; identities of earlier releases may lack some of it."""
    steps = identity.get("steps", [])
    files = [file for step in steps for file in step["files"]]
    python, path = identity.get("python"), identity.get("path")
    return [
        *([f"Python {python}"] if python else []),
        *(text for step in steps for text in step["requirements"]),
        *(text for file in files for text in file["lines"]),
        *(_repository(one) for one in identity.get("repositories", [])),
        f"made by {identity.get('manager')}",
        *([f"at {path}"] if path else []),
        *(f"constraint {text}" for one in [identity, *files] for text in one.get("constraints", [])),
        *(f"without {name}" for name in identity.get("leave_out", [])),
        *(f"{name}={value}" for name, value in identity.get("variables", {}).items()),
        *(f"option {text}" for step in steps for text in step["pip_options"]),
        *(f"{line} of content {digest[:_SHORT]}" for one in [*steps, *files] for line, digest in one["local"].items()),
        *(f"checked by {' '.join(identity[key])}" for key in ("check",) if identity.get(key)),
        *(f"{key} {_brief(value)}" for key, value in (identity.get("manager_details") or {}).items()),
        f"on {identity.get('platform')}",
    ]


def _brief(value: Any) -> str:
    text, digest = str(value), content_key({"value": value})
    return text if text.isprintable() and len(text) <= _LONGEST else f"of content {digest[:_SHORT]}"


def _repository(one: Mapping[str, Any]) -> str:
    if one.get("home") is not None:
        return f"{one['name']} from {one['home']}"
    patched = f" with {len(one['patches'])} patches" if one.get("patches") else ""
    return f"{one['name']} at {str(one.get('commit'))[:_SHORT]}{patched}"
