"""The errors a user sees: what happened, where, and what to do next.

Every error is data first. A `Problem` can be collected with others and shown together; a `SandboxError` carries one or many
of them up to the command line, which turns `exit_code` into the process's own.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file the user wrote; lines and columns count from 1, line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or, as a warning, doubtful) in what the user gave us."""

    message: str
    where: Position | None = None
    fix: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n    {self.fix}" if self.fix else ""
        return f"{place}{self.message}{remedy}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows why something failed: a log file, and lines beside it (the last ones, what is not in it).

    `whose` says which of several that failed it is of: "task 'a'".
    """

    log: str | None = None
    lines: tuple[str, ...] = ()
    whose: str = ""


class SandboxError(Exception):
    """Base of all errors this project raises on purpose."""

    exit_code: ClassVar[int] = 1
    evidence: tuple[Evidence, ...] = ()
    """Where known errors are looked for; emptied when that is done."""

    def __init__(self, message: str, *, where: Position | None = None, fix: str | None = None) -> None:
        self.problems: tuple[Problem, ...] = (Problem(message, where, fix),)
        super().__init__(str(self.problems[0]))

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change the texts of all problems, to take out what must not be shown."""
        self._set_problems(
            replace(problem, message=change(problem.message), fix=change(problem.fix) if problem.fix else None)
            for problem in self.problems
        )

    def advise(self, remedies: Sequence[str]) -> None:
        """Put `remedies` before the one that the first problem has."""
        first, *others = self.problems
        fix = "\n    ".join([*remedies, *([first.fix] if first.fix else [])])
        self._set_problems([replace(first, fix=fix or None), *others])

    def _set_problems(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        self.args = ("\n".join(str(problem) for problem in self.problems),)


class ConfigError(SandboxError):
    """The configuration or the command line is wrong; nothing has been run."""

    exit_code = 2
    partial: Any = None
    """What could be read of a config in spite of the errors, so that the rest of it can be checked, too."""

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> ConfigError:
        """One error for all `problems` (at least one), file by file in the order of their lines."""
        files = list(dict.fromkeys(problem.where.file for problem in problems if problem.where))
        error = cls(problems[0].message)
        error.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: _reading_order(problem, files)))
        error.args = ("\n".join(str(problem) for problem in error.problems),)
        return error


def _reading_order(problem: Problem, files: list[str]) -> tuple[int, int]:
    return (files.index(problem.where.file), problem.where.line) if problem.where else (-1, 0)


class PluginError(SandboxError):
    """A plugin could not be found, loaded or told apart from another."""

    exit_code = 2


class ComponentError(SandboxError):
    """A component found that it cannot do its work; raise it for what the user can mend."""


class JobFailed(SandboxError):
    """A job ended without its outputs; `cause` is what it raised and `log` the file that has the details."""

    def __init__(
        self,
        job_id: str,
        cause: BaseException,
        *,
        where: Position | None = None,
        log: str | None = None,
        iteration: int | None = None,
    ) -> None:
        self.job_id = job_id
        self.cause = cause
        self.log = log
        reason = str(cause) or type(cause).__name__
        if not isinstance(cause, SandboxError):
            reason = f"{type(cause).__name__}: {reason}"
            first = _first_cause(cause)
            if first is not cause and str(first) and str(first) not in reason:
                reason += f" (because of {type(first).__name__}: {first})"
        what = f"job {job_id} failed" if iteration is None else f"job {job_id} failed in iteration {iteration}"
        super().__init__(f"{what}: {reason}", where=where, fix=f"details: {log}" if log else None)
        self.evidence = cause.evidence if isinstance(cause, SandboxError) else ()
        if log and not any(found.log for found in self.evidence):
            self.evidence += (Evidence(log),)


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice spelled most like `word`, or None when none is close."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return found[0] if found else None


def misspelt(unknown: Iterable[str], known: Iterable[str]) -> set[str]:
    """Those of `known` that the words of `unknown` are taken for: of one that is missing, that is all there is to say."""
    choices = list(known)
    return {guess for word in unknown if (guess := nearest(word, choices)) is not None}


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A remedy that names the nearest choice, or all of them when none is near."""
    options = sorted(choices)
    guess = nearest(word, options)
    if guess is not None:
        return f"did you mean '{guess}'?"
    return f"known: {', '.join(options)}" if options else "there is none to choose from"
