"""Problems of environments that know which key of a job has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from djsandbox.errors import Problem, SandboxError

Loc = tuple[str | int, ...]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class KeyProblem(Problem):
    """A problem of the value at `loc`, such as `("env_params", "requirements", 0)`; empty where no key of the job has it."""

    loc: Loc = ()


def keyed(problem: Problem, loc: Loc) -> Problem:
    """`problem` as that of the value at `loc`, where it does not say one itself."""
    if isinstance(problem, KeyProblem) and problem.loc:
        return problem
    return KeyProblem(problem.message, problem.where, problem.fix, problem.severity, loc)


def attempt(found: list[Problem], loc: Loc, call: Callable[[], _Result]) -> _Result | None:
    """The result of `call`; None where it raises one of our errors, whose problems are then among `found`, at `loc`."""
    try:
        return call()
    except SandboxError as error:
        found.extend(keyed(problem, loc) for problem in error.problems)
        return None
