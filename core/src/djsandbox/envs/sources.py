"""Source code that an environment needs: clones at a pinned commit, patched, or the user's own checkouts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from djsandbox.envs.activation import search_path
from djsandbox.envs.recipe import EnvRecipe, Repository
from djsandbox.envs.tools import answer
from djsandbox.errors import ComponentError, Problem
from djsandbox.process.command import Command, shown
from djsandbox.process.environment import child_environment
from djsandbox.process.failures import ProcessFailed
from djsandbox.process.running import OnLine, run

# Nothing of the user's or the repository's configuration may run programs or ask questions.
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "advice.detachedHead=false")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}


def checkout_problems(recipe: EnvRecipe, *, offline: bool) -> list[Problem]:
    """What is wrong with the user's own checkouts, and which are needed because there is nothing to clone."""
    found: list[Problem] = []
    for repository in recipe.repositories:
        what = f"the environment '{recipe.name}' needs the source code of {repository.name}"
        if repository.home is not None:
            found += _home_problems(repository, Path(repository.home).expanduser().absolute())
        elif repository.url is None:
            found.append(Problem(f"{what}, and nothing says where yours is", fix=_name_it(repository, "FOLDER")))
        elif offline and not is_local(repository.url):
            found.append(Problem(f"{what}, and cloning it needs the network", fix=by_hand(repository)))
    return found


def is_local(url: str) -> bool:
    """Whether a repository can be cloned without the network."""
    return url.startswith(("/", "file://", "./", "../"))


def by_hand(repository: Repository) -> str:
    """What to type where there is a network, and what to write then."""
    folder = repository.name
    clone = f"git clone {repository.url} {folder} && git -C {folder} checkout {repository.commit}"
    patches = [f"git -C {folder} apply {patch}" for patch in repository.patches]
    return "\n    ".join(
        ("where there is a network: " + " && ".join([clone, *patches]), "here: " + _name_it(repository, f"/path/to/{folder}"))
    )


def fetch(repository: Repository, folder: Path, on_line: OnLine | None, held: Path | None = None) -> Path:
    """The source code: the user's checkout, or a clone at `folder` with the patches applied.

    Raises ComponentError where it cannot be cloned or patched, with what to do by hand.
    """
    if repository.home is not None:
        return Path(repository.home).expanduser().absolute()
    url, commit = repository.url or "", repository.commit or ""
    folder.mkdir(parents=True)

    def git(*arguments: str) -> None:
        run(Command((*_GIT, *arguments), cwd=folder, env=_environment(), held=held), on_line)

    try:
        git("init", "--quiet")
        git("remote", "add", "origin", os.path.abspath(url) if url.startswith(".") else url)
        try:
            git("fetch", "--quiet", "--depth", "1", "origin", commit)
        except ProcessFailed:  # a server need not give out single commits
            git("fetch", "--quiet", "--tags", "origin")
        git("checkout", "--quiet", "--detach", commit)
    except ProcessFailed as error:
        raise ComponentError(
            f"{repository.name} cannot be had at commit {commit}: {error.problems[0].message}", fix=by_hand(repository)
        ) from error
    for patch in repository.patches:
        _apply(git, repository, patch)
    return folder


def _apply(git: Callable[..., None], repository: Repository, patch: str) -> None:
    try:
        git("apply", "--whitespace=nowarn", os.path.abspath(patch))
    except ProcessFailed as error:
        raise ComponentError(
            f"the patch {patch} does not apply to {repository.name} at {repository.commit}: {error.problems[0].message}",
            fix="the recipe and its patch do not belong together: tell the author of the plugin",
        ) from error


def _home_problems(repository: Repository, home: Path) -> list[Problem]:
    if not home.is_dir():
        return [Problem(f"there is no folder {home}, which is said to be the checkout of {repository.name}")]
    lacking = [name for name in repository.proof if not (home / name).exists()]
    if lacking:
        return [Problem(f"{home} is no checkout of {repository.name}: it has no {', '.join(lacking)}")]
    missing = [patch for patch in repository.patches if not _is_applied(patch, home)]
    if not missing:
        return []
    fix = "\n    ".join(shown(("git", "-C", str(home), "apply", patch)) for patch in missing)
    return [Problem(f"{home} has not been changed as the recipe wants {repository.name} to be", fix=fix, severity="warning")]


def _is_applied(patch: str, home: Path) -> bool:
    argv = (*_GIT, "-C", str(home), "apply", "--check", "--reverse", os.path.abspath(patch))
    return answer(argv, env=_environment()) is not None


def _name_it(repository: Repository, folder: str) -> str:
    return f"env_params: {{homes: {{{repository.name}: {folder}}}}}"


def _environment() -> dict[str, str]:
    return child_environment({**_QUIET, "PATH": search_path()}, keep=("SSH_AUTH_SOCK",))
