"""What an environment is made of, as plain data that a plugin ships."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from djsandbox.envs.plain import keep_plain

Installing = Literal["no", "editable", "editable_without_dependencies"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_VERSION = re.compile(r"\d+(\.\d+)*")
_PYTHON = re.compile(r"3\.\d+(\.\d+)?")
GPU = "gpu"


@dataclass(frozen=True)
class SystemTool:
    """A program that must be there and that no package installer brings.

    Args:
        name: The program, such as `java`, `nvcc` or `ffmpeg`; `gpu` stands for a graphics card that a driver answers for.
        needed_for: What needs it, for the message: `METEOR and SPICE, two of the caption metrics`.
        at_least: The lowest version that will do: `12.1`.
        get: How to get it: `apt install default-jre-headless`.
        below: The lowest version that will not do any more: with `13`, 12.9 is the last that will.
    """

    name: str
    needed_for: str
    at_least: str | None = None
    get: str | None = None
    below: str | None = None

    def __post_init__(self) -> None:
        keep_plain(self)
        for field_name, version in (("at_least", self.at_least), ("below", self.below)):
            if version is not None and not _VERSION.fullmatch(version):
                raise ValueError(f"SystemTool '{self.name}': {field_name} must be a version such as 12.1, not {version!r}")
        if self.at_least and self.below and not self.admits(self.at_least):
            raise ValueError(f"SystemTool '{self.name}': no version is at least {self.at_least} and below {self.below}")

    def admits(self, version: str) -> bool:
        """Whether `version` will do."""
        number = _numbers(version)
        return (self.at_least is None or number >= _numbers(self.at_least)) and (
            self.below is None or number < _numbers(self.below)
        )

    def wanted(self) -> str:
        """The versions that will do, in words; empty where any will."""
        low, high = self.at_least and f"{self.at_least} or later", self.below and f"below {self.below}"
        return ", ".join(limit for limit in (low, high) if limit)


@dataclass(frozen=True)
class Repository:
    """Source code that is not on a package index.

    Args:
        name: Names its folder, and the entry of `sources` and `homes`.
        url: Where it is cloned from; None where only the user can have it.
        commit: The commit (40 hex digits) that is checked out; a branch would be another thing tomorrow.
        patches: Files of changes of our own, applied in this order (`git apply`).
        install: Whether it is installed as a package: not at all, or editable, with or without what it depends on.
        requirement_files: Files in it, relative to it, whose requirements are installed.
        subfolder: The folder in it that is installed.
        proof: Files in it, relative to it, that tell a checkout of it from another folder.
        home: The user's own checkout, which is used as it is instead of a clone. Patches are not applied to it.
    """

    name: str
    url: str | None = None
    commit: str | None = None
    patches: tuple[str, ...] = ()
    install: Installing = "no"
    requirement_files: tuple[str, ...] = ()
    subfolder: str = "."
    proof: tuple[str, ...] = ()
    home: str | None = None

    def __post_init__(self) -> None:
        keep_plain(self)
        _check_name("repository", self.name)
        if self.url is not None and not _COMMIT.fullmatch(self.commit or ""):
            raise ValueError(f"repository '{self.name}': commit must be all 40 hex digits of a commit, not {self.commit!r}")
        choices = get_args(Installing)
        if self.install not in choices:
            raise ValueError(f"repository '{self.name}': install is one of {', '.join(choices)}, not {self.install!r}")


@dataclass(frozen=True)
class InstallStep:
    """Packages that need others installed before them, such as those that build against torch."""

    requirements: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keep_plain(self)


@dataclass(frozen=True)
class EnvRecipe:
    """An environment that a backend needs. What it resolves to is its identity: a changed recipe is another environment.

    Args:
        name: What people call it.
        python: Its Python, `3.10` or `3.10.13`; that of djsandbox when not given.
        managers: The managers that can make it, best first; by default uv, virtualenv, venv, and any other a user asks for.
        requirements: Requirements (`torch==2.3.1`), one each.
        requirement_files: Full paths of requirements files; what they include counts.
        constraints: Requirement lines that only limit versions.
        leave_out: Names of packages whose lines in requirements files, also those of repositories, are passed over.
        pip_options: Further options of the installer, one argument each.
        repositories: Source code to clone, or to take from the user.
        later: What is installed after all this, step by step.
        system_tools: What the machine must have; checked before anything is installed.
        variables: Environment variables, set while building and for everything that runs in it.
        env_config_path: A conda environment file, which then says the Python.
        check: The argv of a command that proves that the environment works; `python` is its own.
    """

    name: str
    python: str | None = None
    managers: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()
    later: tuple[InstallStep, ...] = ()
    system_tools: tuple[SystemTool, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    env_config_path: str | None = None
    check: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keep_plain(self)
        _check_name("recipe", self.name)
        if self.python is not None and not _PYTHON.fullmatch(self.python):
            raise ValueError(f"recipe '{self.name}': python must be a version such as 3.10, not {self.python!r}")
        names = [repository.name for repository in self.repositories]
        if len(set(names)) < len(names):
            raise ValueError(f"recipe '{self.name}': two repositories have one name")

    def __hash__(self) -> int:
        return hash((self.name, self.python, self.requirements, self.requirement_files, frozenset(self.variables.items())))

    def __getstate__(self) -> dict[str, Any]:
        """Plain data, for copies and other processes: a mapping that cannot change cannot be copied either."""
        return {**self.__dict__, "variables": dict(self.variables)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        keep_plain(self)

    def steps(self) -> tuple[InstallStep, ...]:
        """All installing, in its order; the repositories come after the first step."""
        return (InstallStep(self.requirements, self.requirement_files, self.pip_options), *self.later)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers to compare `version` by: 13.0 is 13."""
    return tuple(int(part) for part in re.findall(r"\d+", re.sub(r"(\.0+)+$", "", version)))


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a {what}: letters, digits, '.', '_' and '-', for it also names a folder")
