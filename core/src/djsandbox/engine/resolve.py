"""A job's blocks with `local` and `input` applied, at plan time as far as values are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from djsandbox.components.deferred import DECIDED_AT_RUN, DecidedAtRun, is_decided_at_run, stand_in
from djsandbox.config.document import Document, Loc
from djsandbox.config.include import is_placeholder
from djsandbox.config.model import Block, InputLink, Job, LocalValue
from djsandbox.config.nested import get_at
from djsandbox.config.references import Block as BlockName
from djsandbox.config.references import Reference
from djsandbox.errors import Position, Problem

Lookup = Callable[[Reference], Any]
"""The value a reference means, or DECIDED_AT_RUN; raises LookupError with a message for the user."""

ReadFile = Callable[[str], Document | DecidedAtRun | None]
"""The mapping that a path names, DECIDED_AT_RUN where an earlier job will write it, or None when there is no such file."""


@dataclass(frozen=True, slots=True)
class ResolvedBlock:
    """A block ready to feed a component; `deferred` are the places whose values only the run will know."""

    document: Document
    deferred: tuple[Loc, ...] = ()

    @property
    def data(self) -> Mapping[str, Any]:
        """The mapping; empty where the block gives nothing or is decided at run as a whole."""
        return self.document.data or {}

    @property
    def is_deferred(self) -> bool:
        """True where the whole block is decided at run."""
        return () in self.deferred

    def defers(self, loc: Loc) -> bool:
        """True where the value at `loc`, or something around or inside it, is decided at run."""
        return any(loc[: len(part)] == part[: len(loc)] for part in self.deferred)


def resolve_block(job: Job, name: BlockName, lookup: Lookup, read_file: ReadFile, problems: list[Problem]) -> ResolvedBlock:
    """The block `name` of `job`; what is wrong is added to `problems`."""
    everything: list[LocalValue | InputLink] = [*job.local, *job.inputs]
    values = [item for item in everything if item.target.block == name]
    whole = [item for item in values if not item.target.path]
    parts = [item for item in values if item.target.path]
    block: Block = getattr(job, name)
    resolved = _whole(whole[-1], lookup, read_file, problems) if whole else _written(block, name, read_file, problems)
    for item in parts:
        if not resolved.is_deferred:
            resolved = _with_value(resolved, item, lookup, problems)
    return resolved


def _written(block: Block, name: str, read_file: ReadFile, problems: list[Problem]) -> ResolvedBlock:
    empty = Document({}, block.where.file, {(): block.where})
    if block.path is None:
        return ResolvedBlock(block.document or empty)
    if is_placeholder(block.path, as_path=True):
        fix = f"write a path there, or replace it with 'input: {{{name}: ...}}'"
        problems.append(Problem(f"nothing replaces the placeholder '{block.path}'", block.where, fix))
        return ResolvedBlock(empty, ((),))
    found = read_file(block.path) or block.document
    if isinstance(found, DecidedAtRun):
        return ResolvedBlock(empty, ((),))
    if found is None:
        fix = "check the path; it is relative to the current directory or else to this file"
        problems.append(Problem(f"the file '{block.path}' does not exist and no earlier job writes it", block.where, fix))
        return ResolvedBlock(empty, ((),))
    return ResolvedBlock(found)


def _whole(item: LocalValue | InputLink, lookup: Lookup, read_file: ReadFile, problems: list[Problem]) -> ResolvedBlock:
    value = _value(item, lookup, problems)
    empty = Document({}, item.where.file, {(): item.where})
    if is_decided_at_run(value):
        return ResolvedBlock(empty, ((),))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        return ResolvedBlock(Document(value, item.where.file, {(): item.where}))
    found = read_file(value) if isinstance(value, str) else None
    if isinstance(found, DecidedAtRun):
        return ResolvedBlock(empty, ((),))
    if found is None:
        what = f"the file '{value}'" if isinstance(value, str) else f"a {type(value).__name__}"
        problems.append(Problem(f"'{item.target.text}' needs a mapping or the path of one; {what} is neither", item.where))
        return ResolvedBlock(empty, ((),))
    return ResolvedBlock(found)


def _with_value(
    resolved: ResolvedBlock, item: LocalValue | InputLink, lookup: Lookup, problems: list[Problem]
) -> ResolvedBlock:
    value = _value(item, lookup, problems)
    locs = _locs(resolved.document.data, item.target.path)
    if is_decided_at_run(value):
        resolved = ResolvedBlock(resolved.document, (*resolved.deferred, *locs))
        text = item.reference.text if isinstance(item, InputLink) else item.target.text
        value = stand_in(text)
    document = resolved.document
    try:
        for loc in locs:
            document = _with_whole_ops(document, loc, item.where)
            if not (isinstance(item, LocalValue) and item.if_there and not _has(document.data, loc[:-1])):
                document = document.with_value(loc, value, item.where)
    except KeyError as error:
        fix = "check the key; what stands before it must be a mapping"
        problems.append(Problem(f"'{item.target.text}' cannot be set: there is no '{error.args[0]}'", item.where, fix))
        return resolved
    return ResolvedBlock(document, resolved.deferred)


def _value(item: LocalValue | InputLink, lookup: Lookup, problems: list[Problem]) -> Any:
    if isinstance(item, LocalValue):
        return item.value
    try:
        return lookup(item.reference)
    except LookupError as error:
        message, fix = (*error.args, None)[:2]
        problems.append(Problem(str(message), item.where, fix))
        return DECIDED_AT_RUN


def _locs(data: Any, path: tuple[str, ...]) -> list[Loc]:
    """The places that `path` means in `data`: a step into a list is the number of an item, or the name of an op in a recipe."""
    found: list[tuple[Loc, Any]] = [((), data)]
    for step in path:
        found = [(loc + more, item) for loc, value in found for more, item in _steps(value, step)]
    return [loc for loc, _ in found]


def _steps(data: Any, step: str) -> list[tuple[Loc, Any]]:
    if not isinstance(data, list):
        return [((step,), data.get(step) if isinstance(data, Mapping) else None)]
    if step.isdigit():
        return [((int(step),), data[int(step)] if int(step) < len(data) else None)]
    ops = [(at, item) for at, item in enumerate(data) if item == step or (isinstance(item, Mapping) and step in item)]
    found: list[tuple[Loc, Any]] = [((at, step), item[step] if isinstance(item, Mapping) else None) for at, item in ops]
    return found or [((step,), None)]


def _with_whole_ops(document: Document, loc: Loc, where: Position) -> Document:
    """`document` with the op that `loc` leads through as a mapping, where a recipe only names it."""
    for at, step in enumerate(loc):
        if _has(document.data, loc[:at]) and isinstance(step, str) and get_at(document.data, loc[:at]) == step:
            return document.with_value(loc[:at], {step: {}}, where)
    return document


def _has(data: Any, loc: Loc) -> bool:
    try:
        get_at(data, loc)
    except KeyError:
        return False
    return True
