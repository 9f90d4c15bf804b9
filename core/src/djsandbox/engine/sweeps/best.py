"""The best trial of a sweep: which it is, and a config of it that is ready to run."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from djsandbox.components.sweeper import TrialResult
from djsandbox.config.document import dump_yaml
from djsandbox.config.include import find_file, read_mapping
from djsandbox.config.model import JOB_LIST_SUFFIX, Job, SandboxConfig
from djsandbox.config.references import BLOCKS
from djsandbox.engine.secrecy import secrets_of
from djsandbox.engine.sweeps.objective import Objective
from djsandbox.engine.sweeps.planned import PlannedSweep
from djsandbox.journal.atomic import write_atomically

_OWN_CLASS = re.compile(r"(?P<file>\.{1,2}/.+\.py)(?P<name>:[\w.]+)")
_FOLDER = "best"


def best_of(results: Sequence[TrialResult], objective: Objective) -> TrialResult | None:
    """The trial that came to its end with the best value, that with the lowest number of those that are equal."""
    best: TrialResult | None = None
    for result in sorted(results, key=lambda one: one.trial.number):
        if result.status != "done" or result.value is None:
            continue
        if best is None or best.value is None or objective.is_better(result.value, best.value):
            best = result
    return best


def write_best(
    config: SandboxConfig, sweep: PlannedSweep, best: TrialResult, count: int, path: Path, left_out: Set[tuple[str, str]]
) -> None:
    """Write `config` with the values of the best of `count` trials to `path`, to be run from the same folder.

    `left_out` are the values, by job id and address, that found no place in that trial.
    """
    applied = sweep.applied(config, best.trial.values)
    data = copy.deepcopy(dict(config.positions.data)) if config.positions else {}
    for key in ("hpo_config", "hpo_backend", "resume"):
        data.pop(key, None)
    data["work_dir"] = str(config.work_dir / _FOLDER)
    move = _Move(config.folder, path.parent)
    for key in ("launcher", "tracker"):
        if key in data:
            data[key] = move.classes(data[key])
    for job in applied.jobs():
        jobs = _job_list(data, job)
        entry = jobs[job.index]
        if isinstance(entry, str):
            entry = _included(entry, config.folder)
        entry = {key: value for key, value in entry.items() if key != "local"}
        local = {one.target.text: one.value for one in job.local if (job.id, one.target.text) not in left_out}
        if local:
            entry["local"] = local
        jobs[job.index] = move.entry(entry)
    heading = "".join(f"# {_printable(line)}\n" for line in _heading(config, sweep, best, count))
    write_atomically(path, f"{heading}\n{dump_yaml(data)}")
    if secrets_of(applied):
        path.chmod(0o600)


def _heading(config: SandboxConfig, sweep: PlannedSweep, best: TrialResult, count: int) -> Iterator[str]:
    yield f"{config.file} with the values of the best of {count} trials of {sweep.config.file}:"
    yield f"trial {best.trial.number}, {sweep.config.metric.name} = {best.value}"
    for name, value in best.trial.values.items():
        yield f"  {name}: {json.dumps(value, ensure_ascii=False)}"


def _printable(line: str) -> str:
    """`line` without what would end a comment, or may not stand in YAML."""
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)


def _job_list(data: dict[str, Any], job: Job) -> list[Any]:
    """The list in the file that the job is in."""
    pipelines = data.get("pipelines")
    holder: Any = data
    if isinstance(pipelines, Mapping):
        holder = next(part for name, part in pipelines.items() if str(name) == job.pipeline)
    elif pipelines is not None:
        holder = next(part for item in pipelines for name, part in item.items() if str(name) == job.pipeline)
    found: list[Any] = holder[f"{job.stage}{JOB_LIST_SUFFIX}"]
    return found


def _included(path: str, folder: Path) -> dict[str, Any]:
    """A job that stands in a file of its own; classes that it names beside itself are named from `folder` then."""
    found = find_file(path, folder) or Path(path)
    moved: dict[str, Any] = _Move(found.parent, folder).classes(copy.deepcopy(dict(read_mapping(found).data)))
    return moved


class _Move:
    """Names of files relative to a config in the folder `source`, for one in the folder `target`."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target

    def entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        """A job's entry, with its blocks, those in `local` included."""
        moved: dict[str, Any] = self.classes(entry)
        local = moved.get("local")
        for holder in (moved, local if isinstance(local, dict) else {}):
            holder.update({block: self._file(holder[block]) for block in BLOCKS if isinstance(holder.get(block), str)})
        return moved

    def classes(self, data: Any) -> Any:
        """`data` with every `./file.py:Class` in it, wherever it stands, that is a file of ours."""
        if isinstance(data, dict):
            return {key: self.classes(value) for key, value in data.items()}
        if isinstance(data, list):
            return [self.classes(item) for item in data]
        found = _OWN_CLASS.fullmatch(data) if isinstance(data, str) else None
        if found is None or not (self._source / found["file"]).is_file():
            return data
        moved = os.path.relpath(self._source / found["file"], self._target)
        return f"{moved if moved.startswith('.') else f'./{moved}'}{found['name']}"

    def _file(self, path: str) -> str:
        found = None if Path(path).is_file() else find_file(path, self._source)
        return path if found is None else os.path.relpath(found, self._target)
