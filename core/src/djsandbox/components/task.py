"""A task: one unit of a job's work that is done outside of this process."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal


@dataclass(frozen=True)
class Task:
    """One program to run for a job, and the files or folders that prove that it has done its work.

    Args:
        name: Tells it from the other tasks of its job; names its log files and its part of the journal.
        argv: The program and its arguments, with no shell between. What is in it can be seen in the list of processes, so a
            secret reaches the task through `env` or `keep_env`.
        outputs: Files or folders that it must write, at least one. Relative paths begin at our own folder, not at `cwd`. A
            task that leaves one of them as it was has failed, whatever its exit code says: of a folder it must write at least
            one file.
        cwd: Where it runs; our own folder when not given.
        env: Variables to set for it, beside the usual ones (see `keep_env`); their values are not shown.
        keep_env: Names of variables of our own environment that it gets, too, secrets (`HF_TOKEN`) among them. Others that
            programs usually need (PATH, HOME, proxies, caches of models) need not be named; PYTHONPATH is not passed on. With
            the value of one that is no secret a finished task is repeated on resume when it has changed.
        cpus: CPUs it keeps busy; the launcher starts it when so many are free.
        gpus: GPUs it is given where there are any, through CUDA_VISIBLE_DEVICES.
        timeout: Seconds after which it is stopped; the job's own `timeout` when not given.
    """

    name: str
    argv: tuple[str, ...]
    outputs: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    keep_env: tuple[str, ...] = ()
    cpus: int = 1
    gpus: int = 0
    timeout: float | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        argv = _texts("argv", self.argv)
        if not argv or not argv[0]:
            raise ValueError(f"task '{self.name}': argv names no program")
        outputs = tuple(os.fspath(path) for path in _listed("outputs", self.outputs))
        if not outputs or not all(outputs):
            raise ValueError(f"task '{self.name}': outputs names no file, so nothing would prove that the task has succeeded")
        if not all(isinstance(text, str) for item in self.env.items() for text in item):
            raise TypeError(f"task '{self.name}': names and values of env are texts")
        for name, least in (("cpus", self.cpus), ("gpus", self.gpus)):
            if isinstance(least, bool) or not isinstance(least, int) or least < 0:
                raise ValueError(f"task '{self.name}': {name} must be a whole number, 0 or more, not {least!r}")
        if self.timeout is not None and not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise ValueError(f"task '{self.name}': timeout must be a number of seconds above 0, not {self.timeout!r}")
        object.__setattr__(self, "argv", argv)
        object.__setattr__(self, "outputs", outputs)
        object.__setattr__(self, "cwd", None if self.cwd is None else os.fspath(self.cwd))
        object.__setattr__(self, "env", MappingProxyType(dict(self.env)))
        object.__setattr__(self, "keep_env", _texts("keep_env", self.keep_env))

    def __repr__(self) -> str:  # without the values, which may be secret
        return f"Task({self.name!r}, outputs={self.outputs!r}, cpus={self.cpus}, gpus={self.gpus})"


@dataclass(frozen=True, slots=True)
class TaskPolicy:
    """What happens to the tasks of a job that fail: how often each is tried again, and what becomes of the others."""

    retries: int = 0
    on_failure: Literal["stop", "finish_others"] = "stop"
    timeout: float | None = None


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of a task is a text, not {name!r}")
    if not name.strip() or name in (".", "..") or any(mark in name for mark in "/\0\n\r"):
        raise ValueError(f"{name!r} cannot name a task: it also names files (no '/', no line break)")


def _listed(what: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, os.PathLike)):  # not shown: it may hold a secret
        raise TypeError(f"{what} is a sequence of texts, not a single one: write ('...', '...')")
    return tuple(value)


def _texts(what: str, value: Any) -> tuple[str, ...]:
    texts = _listed(what, value)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{what} is a sequence of texts, not {[type(text).__name__ for text in texts]}")
    return texts
