"""A command to run and what came of it, both without the secrets it was given wherever they are shown."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from djsandbox.process.environment import child_environment
from djsandbox.redact import REDACTED, hide, is_secret, redact, secrets_in

_SHORTEST_SECRET = 6
_ASSIGNMENT = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)=(?P<value>\S+)")
_BEARER = re.compile(r"\bbearer\s+(?P<value>[^\s'\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Command:
    """One program to run, with no shell between.

    Args:
        argv: The program and its arguments, which reach it unchanged; a program without a slash is looked up on `env`'s PATH.
        cwd: Where it runs; our own folder when not given.
        env: All of its environment; `child_environment()` when not given.
        timeout: Seconds after which it is stopped.
        log_file: Gets every line of its output, as it comes; begun anew.
        held: A file that is locked (shared) until all of its processes have ended, also where they outlive us for a moment.
        pass_fds: Open file descriptors that it inherits under the same numbers.
        grace: Seconds between asking its processes to end (SIGTERM) and ending them (SIGKILL).
        hidden: Further texts that must not be shown, beside the secrets that `argv` and `env` name as such.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=child_environment)
    timeout: float | None = None
    log_file: Path | None = None
    grace: float = 10.0
    held: Path | None = None
    pass_fds: tuple[int, ...] = ()
    hidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValueError("argv names no program")
        if isinstance(self.argv, str) or not all(isinstance(text, str) for text in self.argv):
            raise TypeError(f"argv is a sequence of texts, not {self.argv!r}")
        if any("\0" in text for text in (*self.argv, *self.env, *self.env.values())):
            raise ValueError("an argument or environment variable contains a NUL character, which no program can be given")
        if any(not name or "=" in name for name in self.env):
            raise ValueError("the name of an environment variable is empty or contains '='")
        if self.grace < 0 or (self.timeout is not None and self.timeout <= 0):
            raise ValueError("timeout must be above 0 and grace not below 0")
        object.__setattr__(self, "argv", tuple(self.argv))
        object.__setattr__(self, "env", MappingProxyType(dict(self.env)))

    def __repr__(self) -> str:
        return f"Command({shown(self.shown_argv())}, cwd={self.cwd}, timeout={self.timeout}, log_file={self.log_file})"

    def secrets(self) -> frozenset[str]:
        """The values of secret variables and arguments, as far as they are long enough to be told from other text."""
        values = {value for value, secret in _told_apart(self.argv) if secret}
        values |= {value for text in self.argv for value in _within(text)}
        found = secrets_in(dict(self.env)) | self.hidden | {value for value in values if len(value) >= _SHORTEST_SECRET}
        lines = {line for value in found for line in value.splitlines() if len(line) >= _SHORTEST_SECRET}
        # As they stand in an argument that is JSON, or in what a program prints of it.
        return found | lines | {json.dumps(value)[1:-1] for value in found}

    def shown_argv(self) -> tuple[str, ...]:
        """The argv with `***` in place of secrets."""
        secrets = self.secrets()
        parts = [REDACTED if secret else hide(part, secrets) for part, secret in _told_apart(self.argv)]
        texts = iter(redact(parts))
        return tuple("".join(next(texts) for _ in range(count)) for count in _part_counts(self.argv))


@dataclass(frozen=True)
class Completed:
    """A command that has ended; `returncode` is minus the signal's number where a signal ended it.

    `argv` and `last_lines` show no secrets. `seconds` is wall time.
    """

    argv: tuple[str, ...]
    returncode: int
    seconds: float
    last_lines: tuple[str, ...]
    log_file: Path | None


def shown(argv: Sequence[str], longest: int = 500) -> str:
    """An argv as one would type it, cut where it is too long to read."""
    text = shlex.join(argv)
    return text if len(text) <= longest else f"{text[:longest]} ..."


def _part_counts(argv: Sequence[str]) -> Iterator[int]:
    for text in argv:
        yield 2 if _assigned(text) else 1


def _told_apart(argv: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The parts of all arguments, each with whether it is a secret: `--api-key=X` and `a.token=X` are two parts, X is one."""
    follows = False
    for text in argv:
        name = _assigned(text)
        if name:
            yield name, False
            yield text[len(name) :], True
        else:
            is_option = text.startswith("--") or (text.startswith("-") and len(text) == 2)
            yield text, follows and not is_option
        follows = text.startswith("-") and "=" not in text and is_secret(text)


def _within(text: str) -> Iterator[str]:
    """Secrets inside of one argument: a command line for a shell (`TOKEN=X program`), a header (`Authorization: Bearer X`)."""
    for found in _ASSIGNMENT.finditer(text):
        if is_secret(found["name"]):
            yield found["value"].strip("'\"")
    yield from (found["value"] for found in _BEARER.finditer(text))


def _assigned(text: str) -> str | None:
    """`--api-key=` of `--api-key=X`; None where `text` assigns no secret."""
    name, equals, value = text.partition("=")
    return name + equals if equals and value and is_secret(name) else None
