"""What is to be installed, as arguments of pip."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from djsandbox.errors import ConfigError

PipArguments = tuple[str, ...]
_PROJECT_FILES = ("pyproject.toml", "setup.py")


def pip_arguments(
    deps: str | Path | Sequence[str], *, pip_options: Sequence[str] = (), constraints: str | Path | Sequence[str] = ()
) -> PipArguments:
    """The arguments of `pip install`: options, constraints, and what `deps` names; see `Env.install_py_deps`."""
    if isinstance(pip_options, str):
        raise ConfigError(f"pip_options is a list, one argument each, not the text '{pip_options}'")
    files = [constraints] if isinstance(constraints, (str, os.PathLike)) else list(constraints)
    limits = [argument for file in files for argument in ("-c", str(_existing(file)))]
    if isinstance(deps, (str, os.PathLike)):
        return (*pip_options, *limits, *_from_path(_existing(deps)))
    requirements = [checked_requirement(text) for text in deps]
    if not requirements:
        raise ConfigError("there is nothing to install: the list of requirements is empty")
    return (*pip_options, *limits, *requirements)


def checked_requirement(text: object) -> str:
    """`text`, where it is one requirement or a URL; the full path, where it is that of a code base; ConfigError otherwise."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only who installs needs it

    if not isinstance(text, str):
        raise ConfigError(f"a requirement is a text, not {text!r}")
    if "\n" in text or "\0" in text or not text.strip():
        raise ConfigError(f"{text!r} is no requirement", fix="one requirement is one item of the list")
    if text.startswith("-") or " --" in text:
        raise ConfigError(f"'{text}' holds an option", fix="options are a list of their own: pip_options")
    if text.startswith(("./", "../", "/", "~/")):
        return str(_existing(text))
    if "://" in text:
        return text
    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"'{text}' is no requirement: {reason}", fix="write a name with a version (torch==2.3.1), a URL, or ./folder"
        ) from error
    return text


def place_for(deps: str | os.PathLike[str] | Sequence[str]) -> Path:
    """Where an installer has to run: relative paths in a requirements file begin beside it.

    Not in our own folder, whose pyproject.toml or uv.toml would tell uv what to install.
    """
    if isinstance(deps, (str, os.PathLike)):
        path = _existing(deps)
        return path.parent if path.is_file() else Path("/")
    return Path("/")


def is_project(folder: Path) -> bool:
    """Whether pip can install `folder`."""
    return any((folder / name).is_file() for name in _PROJECT_FILES)


def _from_path(path: Path) -> PipArguments:
    if path.is_file():
        return ("-r", str(path))
    if not is_project(path):
        hint = path / "requirements.txt"
        raise ConfigError(
            f"{path} is no Python project: it has neither {' nor '.join(_PROJECT_FILES)}",
            fix=f"install its requirements: {hint}" if hint.is_file() else None,
        )
    return ("-e", str(path))


def _existing(path: str | os.PathLike[str]) -> Path:
    found = Path(path).expanduser().absolute()
    if not found.exists():
        raise ConfigError(
            f"there is no file or folder {found} to install from",
            fix='requirements are given as a list: ["torch", "torchvision"]',
        )
    return found
