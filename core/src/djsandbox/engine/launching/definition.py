"""What a task is told to do: when none of it has changed, a finished task need not be repeated."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from djsandbox.components.task import Task
from djsandbox.engine.own_folder import Mark, entries
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.keys import content_key
from djsandbox.redact import is_secret


class Told:
    """What `tasks()` of a job has left in the job's own folder (configs, scripts), less what tasks write there.

    `known` is what lies there already when the job begins. A link counts by where it leads, other files by their content.
    """

    def __init__(self, work_dir: Path, known: Mapping[str, Mark], fingerprints: Fingerprints) -> None:
        self._folder = os.path.abspath(work_dir)
        self._not_told = dict(known)
        self._told: set[str] = set()
        self._fingerprints = fingerprints

    def files(self, outputs: Set[str]) -> dict[str, str]:
        """Their paths in the folder, with what stands for their content; `outputs` are absolute paths that tasks write."""
        found = {}
        for path, mark in entries(self._folder).items():
            if self._not_told.get(path) != mark and not _is_at_or_below(path, outputs):
                self._told.add(path)
                content = f"-> {os.readlink(path)}" if os.path.islink(path) else self._fingerprints.of(path)
                found[os.path.relpath(path, self._folder)] = content
        return found

    def tasks_have_run(self) -> None:
        """Whatever else lies there now is the work of tasks."""
        self._not_told.update({path: mark for path, mark in entries(self._folder).items() if path not in self._told})


def definition_of(task: Task, told: Mapping[str, str], named: Mapping[str, str]) -> str:
    """A digest of what a task is told: argv, folder, environment, outputs, `told` (see Told) and `named` (see named_files).

    Values of variables that it gets from our own environment count where they are no secrets.
    """
    return content_key(
        {
            "argv": list(task.argv), "cwd": task.cwd, "env": dict(task.env), "keep_env": sorted(task.keep_env),
            "kept": {name: variable_digest(name) for name in told_variables(task)},
            "outputs": list(task.outputs), "told": dict(told), "named": dict(named),
        }
    )  # fmt: skip


def told_variables(task: Task) -> list[str]:
    """Names of the variables of our own environment whose values count for `task`."""
    return sorted(name for name in task.keep_env if not is_secret(name))


def variable_digest(name: str) -> str:
    """What stands for the value that a variable of our own environment has, or for its absence."""
    return content_key({"value": os.environ.get(name)})


def named_files(task: Task, work_dir: Path, written: Set[str], fingerprints: Fingerprints) -> dict[str, str]:
    """Files in the job's own folder that a task's arguments or variables name, with their content.

    They may be what earlier tasks of the job have made; those that are at or below `written` are its own results.
    """
    root = os.path.abspath(work_dir) + os.sep
    named = {}
    for path in sorted(set(_paths_in([*task.argv, *task.env.values()]))):
        place = os.path.abspath(os.path.join(task.cwd or "", path)) if "\0" not in path else ""
        if place.startswith(root) and os.path.isfile(place) and not _is_at_or_below(place, written):
            named[path] = fingerprints.of(place)
    return named


def _paths_in(texts: Iterable[str]) -> Iterable[str]:
    return (part for text in texts for part in (text, text.partition("=")[2]) if part)


def _is_at_or_below(path: str, places: Set[str]) -> bool:
    return path in places or any(str(parent) in places for parent in Path(path).parents)
