"""Making an environment: all or nothing, once, however many ask for it and whenever they are killed."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from djsandbox.envs.base import Env
from djsandbox.envs.recipe import InstallStep, Repository
from djsandbox.envs.requirement_files import read_requirements
from djsandbox.envs.resolving import Resolved
from djsandbox.envs.sources import fetch
from djsandbox.envs.store import Entry, Store, busy_file, discard
from djsandbox.envs.system import with_tools
from djsandbox.errors import ComponentError, Evidence, SandboxError
from djsandbox.process.running import OnLine

_logger = logging.getLogger("djsandbox.envs")
_INSPECT = """
import json, sys
from importlib import metadata
found = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
print("\\n" + json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "packages": dict(sorted(found.items()))}))
"""


class EnvironmentFailed(ComponentError):
    """An environment could not be made; nothing of it is left but the log."""


def build(resolved: Resolved, store: Store, *, offline: bool = False, on_line: OnLine | None = None) -> tuple[Entry, bool]:
    """The environment, and whether this call made it: another process may have done so meanwhile.

    EnvironmentFailed with the last lines and the log.
    """
    key = resolved.key
    with store.lock(key):
        found = store.find(key)
        if found is not None and found.problem is None:
            return found, False
        if found is not None:
            _logger.warning("making the environment %s again: %s", key, found.problem)
        store.discard_leftovers(key)
        folder = store.begin(key)
        began = time.monotonic()
        try:
            with _log(store.log_file(key), on_line) as tell:
                facts = _Build(resolved, folder, offline, tell).run()
            facts |= {"created": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(time.monotonic() - began, 3)}
            entry = store.finish(key, folder, facts)
        except BaseException:
            discard(folder)
            raise
        if found is not None:
            discard(found.folder)
        return entry, True


@dataclass
class _Build:
    resolved: Resolved
    folder: Path
    offline: bool
    tell: OnLine
    sources: dict[str, Path] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Do all steps; returns what is to be remembered of them."""
        resolved, recipe = self.resolved, self.resolved.recipe
        env = resolved.env(self.folder / "env", offline=self.offline)
        env.on_line, env.held = self.tell, busy_file(self.folder)
        with self._step(f"making it with {resolved.manager}"):
            env.create()
        for repository in recipe.repositories:
            with self._step(f"getting {repository.name}"):
                place = self.folder / "src" / repository.name
                self.sources[repository.name] = fetch(repository, place, self.tell, env.held)
        first, *later = recipe.steps()
        self._install(env, first, "its packages")
        for repository in recipe.repositories:
            self._install_source(env, repository)
        for number, step in enumerate(later, 1):
            self._install(env, step, f"what comes later, step {number}")
        if recipe.check:
            with self._step("checking that it works"):
                variables = with_tools(recipe, env.variables() | dict(recipe.variables))
                env.run_cmd(recipe.check, cwd=self.folder, env=variables, on_line=self.tell)
        discard(self._written)
        return self._facts(env)

    @property
    def _written(self) -> Path:
        """The folder of what the installer is given; it may name indexes with passwords, and nobody reads it afterwards."""
        return self.folder / "requirements"

    def _install(self, env: Env, step: InstallStep, what: str) -> None:
        files = [Path(file).expanduser().absolute() for file in step.requirement_files]
        self._install_lines(env, what, step.requirements, files, step.pip_options)

    def _install_source(self, env: Env, repository: Repository) -> None:
        place = self.sources[repository.name]
        what = f"what {repository.name} requires"
        self._install_lines(env, what, (), [place / file for file in repository.requirement_files], ())
        if repository.install != "no":
            alone = ("--no-deps",) if repository.install == "editable_without_dependencies" else ()
            options = (*self.resolved.recipe.pip_options, *alone)
            with self._step(f"installing {repository.name}"):
                self._call(env, place / repository.subfolder, options, self._constraints(()))

    def _install_lines(
        self, env: Env, what: str, requirements: tuple[str, ...], files: list[Path], pip_options: tuple[str, ...]
    ) -> None:
        recipe = self.resolved.recipe
        read = [read_requirements(file, recipe.leave_out) for file in files]
        lines = [*(line for one in read for line in one.lines), *requirements]
        if not lines:
            return
        options = pip_options if pip_options == recipe.pip_options else (*recipe.pip_options, *pip_options)
        with self._step(f"installing {what}"):
            target = self._write("requirements", lines)
            self._call(env, target, options, self._constraints(tuple(line for one in read for line in one.constraints)))

    def _call(self, env: Env, what: Path, options: tuple[str, ...], constraints: tuple[Path, ...]) -> None:
        variables = self.resolved.recipe.variables
        env.install_py_deps(
            what, pip_options=options, constraints=[str(file) for file in constraints], env=variables, on_line=self.tell
        )

    def _constraints(self, further: tuple[str, ...]) -> tuple[Path, ...]:
        lines = [*self.resolved.recipe.constraints, *further]
        return (self._write("constraints", lines),) if lines else ()

    def _write(self, name: str, lines: list[str]) -> Path:
        folder = self._written
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}-{name}.txt"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        return path

    def _facts(self, env: Env) -> dict[str, Any]:
        lines: list[str] = []
        with self._step("reading what it holds"):
            env.run_cmd([str(env.python), "-I", "-c", _INSPECT], cwd=self.folder, on_line=lines.append)
        resolved = self.resolved
        return {
            "name": resolved.label,
            "recipe": resolved.recipe.name,
            "manager": resolved.manager,
            "hash": resolved.hash,
            "identity": resolved.identity,
            "sources": {name: str(path) for name, path in self.sources.items()},
            **json.loads(lines[-1]),
        }

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        label = self.resolved.label
        self.tell(f"[djsandbox] environment '{label}': {what}")
        try:
            yield
        except SandboxError as error:
            problem = error.problems[0]
            raise EnvironmentFailed(
                f"the environment '{label}' could not be made; it failed at {what}: {problem.message}", fix=problem.fix
            ) from error


@contextmanager
def _log(path: Path, on_line: OnLine | None) -> Iterator[OnLine]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def tell(line: str) -> None:
            _write_line(file, line)
            if on_line is not None:
                on_line(line)

        try:
            yield tell
        except EnvironmentFailed as error:
            problem = error.problems[0]
            _write_line(file, str(error))
            fix = "\n    ".join(filter(None, (problem.fix, f"full log: {path}")))
            failed = EnvironmentFailed(problem.message, fix=fix)
            failed.evidence = (Evidence(str(path)),)
            raise failed from error.__cause__


def _write_line(file: TextIO, line: str) -> None:
    file.write(f"{line}\n")
    file.flush()
