"""Taking over an earlier result, when it is certain that the job would give the same again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.engine.cloning import copy
from djsandbox.engine.ingredients import changed
from djsandbox.engine.launching.definition import variable_digest
from djsandbox.engine.prepare import PreparedJob
from djsandbox.engine.sharing import SharedResult, SharedResults
from djsandbox.errors import SandboxError
from djsandbox.journal.fingerprint import Fingerprints, snapshot
from djsandbox.journal.history import History, JobRecord
from djsandbox.watch.watcher import SandboxWatcher


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an earlier result serves (`record`), and why or why not."""

    record: JobRecord | None
    reason: str
    shared: SharedResult | None = None
    """Where the record comes from, if not from this work_dir."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Decides, for each job, whether a result in the journal serves.

    With `resume`, results of earlier runs count: of the very same job and iteration, or, for deterministic components, of
    any job with the same content key. Without it only deterministic results of this run do, and those that other trials of
    the same sweep have `shared`.
    """

    history: History
    fingerprints: Fingerprints
    watcher: SandboxWatcher
    run_id: str
    resume: bool
    shared: SharedResults | None = None

    def decide(self, prepared: PreparedJob, iteration: int) -> Decision:
        """Look for a result with the job's key whose files are still what they were."""
        job = prepared.planned.job
        if not job.reuse:
            return Decision(None, "reuse is off for this job")
        record = self.history.finished(job.id, iteration, prepared.key) if self.resume else None
        if record is None and prepared.deterministic:
            record = self.history.same_key(prepared.key, run_id=None if self.resume else self.run_id)
        shared = None
        if record is None and prepared.deterministic and self.shared is not None:
            shared = self.shared.find(prepared.key)
            record = shared.record if shared else None
        if record is None:
            return Decision(None, self._why_not(prepared, iteration))
        declared = job.outputs
        if declared is not None and len(declared) != len(record.outputs):
            return Decision(None, "its outputs are named differently now")
        damaged = self._damaged(record)
        if damaged:
            return Decision(None, f"its output {damaged}")
        moves = _moves(record, prepared)
        if any(_overlap(old, new) for old, new in moves.items()):
            return Decision(None, "its output would move into itself")
        strange = _strange_file(record, moves)
        if strange:
            return Decision(None, f"'{strange}' is in the way: the result to take over has no such file")
        asked = self._answered_differently(record)
        if asked:
            return Decision(None, f"the watcher answers '{asked}' differently now")
        variable = next((name for name, digest in record.variables.items() if variable_digest(name) != digest), None)
        if variable:
            return Decision(None, f"the environment variable {variable} has another value now")
        return Decision(record, f"unchanged since {record.run_id}", shared)

    def _damaged(self, record: JobRecord) -> str | None:
        for path, fingerprint in record.files.items():
            try:
                found = self.fingerprints.of(path)
            except (OSError, SandboxError):
                return f"'{path}' is gone"
            if found != fingerprint:
                return f"'{path}' was changed"
        return None

    def _answered_differently(self, record: JobRecord) -> str | None:
        answers = ((name, self.watcher.answer_digest(name, record.job_id)) for name in record.queries)
        return next((name for name, digest in answers if digest != record.queries[name]), None)

    def _why_not(self, prepared: PreparedJob, iteration: int) -> str:
        if not self.resume:
            return "resume is off"
        last = self.history.latest(prepared.planned.job.id, iteration)
        if last is None:
            return "it has not been run yet"
        names = changed(last.ingredients, prepared.ingredients)
        return f"changed since {last.run_id}: {', '.join(names)}" if names else "it has no result yet"


def take_over(record: JobRecord, prepared: PreparedJob, fingerprints: Fingerprints) -> JobRecord:
    """`record` as a result of the job at hand: outputs by the names it gives them, copied to where it would write them."""
    names = prepared.planned.job.outputs or [f"res_{at}" for at in range(len(record.outputs))]
    record = replace(record, outputs=dict(zip(names, record.outputs.values(), strict=True)))
    moves = _moves(record, prepared)
    if not moves:
        return record
    files = {}
    for path, fingerprint in record.files.items():
        target = _moved(path, moves)
        if target != path:
            copy(Path(path), Path(target))
            fingerprint = fingerprints.of(target)  # noqa: PLW2901
        files[target] = fingerprint
    outputs = {name: _with_moved_paths(value, moves) for name, value in record.outputs.items()}
    return replace(record, files=files, outputs=outputs, placed=dict(prepared.placed))


def _moves(record: JobRecord, prepared: PreparedJob) -> dict[str, str]:
    """Old path -> new one, for the outputs that the config places elsewhere now."""
    return {
        old: prepared.placed[name]
        for name, old in record.placed.items()
        if name in prepared.placed and os.path.abspath(old) != os.path.abspath(prepared.placed[name])
    }


def _strange_file(record: JobRecord, moves: Mapping[str, str]) -> str | None:
    """A file in a folder that the result would be copied to, which is not in the result: left by somebody, in another state."""
    for old, new in moves.items():
        if os.path.isdir(old) and os.path.isdir(new):
            expected = {os.path.relpath(path, old) for path in snapshot(old)}
            found = (path for path in snapshot(new) if os.path.relpath(path, new) not in expected)
            if path := next(found, None):
                return path
    return None


def _overlap(one: str, other: str) -> bool:
    first, second = os.path.abspath(one), os.path.abspath(other)
    return os.path.commonpath([first, second]) in (first, second)


def _moved(path: str, moves: Mapping[str, str]) -> str:
    absolute = os.path.abspath(path)
    for old, new in moves.items():
        start = os.path.abspath(old)
        if absolute == start:
            return new
        if absolute.startswith(start + os.sep):
            return os.path.join(new, os.path.relpath(absolute, start))
    return path


def _with_moved_paths(value: Any, moves: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _moved(value, moves)
    if isinstance(value, list):
        return [_with_moved_paths(item, moves) for item in value]
    if isinstance(value, dict):
        return {key: _with_moved_paths(item, moves) for key, item in value.items()}
    return value
