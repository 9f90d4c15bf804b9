"""One entry of a job list, as written, made into a `Job`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from djsandbox.config.document import Document
from djsandbox.config.include import find_file, read_block, read_mapping
from djsandbox.config.model import Block, InputLink, Job, LocalValue
from djsandbox.config.references import parse_reference, parse_target
from djsandbox.config.schema import JobShape, problems_of
from djsandbox.errors import ConfigError, Problem

RESERVED_OUTPUT = "meta_name"


def read_job(entry: Document, pipeline: str, stage: str, index: int, folder: Path) -> Job:
    """The job of one list entry: a mapping, or the path of a file that holds one. ConfigError with all that is wrong."""
    if isinstance(entry.data, str):
        found = find_file(entry.data, folder)
        if found is None:
            raise ConfigError(f"the job file '{entry.data}' does not exist", where=entry.at(()))
        entry = read_mapping(found)
        folder = found.parent
    try:
        shape = JobShape.model_validate(entry.data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, entry, JobShape)) from error
    problems: list[Problem] = []
    inputs = _inputs(shape.input or {}, entry, problems)
    local = _local(shape.local or {}, entry, problems)
    outputs = _outputs(shape.output, entry, problems)
    blocks = {}
    for name in ("dj_configs", "extra_configs"):
        value = entry.data.get(name)
        part = entry.part((name,)) if isinstance(value, Mapping) else entry
        try:
            blocks[name] = read_block(value, part, entry.at((name,)), folder)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError.of(problems)
    return Job(
        pipeline=pipeline,
        stage=stage,
        index=index,
        hook=shape.hook,
        meta_name="" if shape.meta_name is None else str(shape.meta_name),
        inputs=inputs,
        outputs=outputs,
        local=local,
        dj_configs=blocks["dj_configs"],
        extra_configs=blocks["extra_configs"],
        reuse=shape.reuse,
        where=entry.at(()),
        places={str(key): entry.at((key,)) for key in entry.data},
    )


def broken_job(entry: Document, pipeline: str, stage: str, index: int) -> Job:
    """What stands for an entry that `read_job` refuses: as much as others may refer to."""
    data = entry.data if isinstance(entry.data, Mapping) else {}
    meta_name, outputs = data.get("meta_name"), data.get("output")
    names = [outputs] if isinstance(outputs, str) else outputs if isinstance(outputs, list) else []
    nothing = Block(None, None, entry.at(()))
    return Job(
        pipeline=pipeline,
        stage=stage,
        index=index,
        hook=str(data.get("hook", "")),
        meta_name=str(meta_name) if isinstance(meta_name, (str, int)) else "",
        inputs=(),
        outputs=tuple(str(name) for name in names) or None,
        local=(),
        dj_configs=nothing,
        extra_configs=nothing,
        reuse=False,
        where=entry.at(()),
        is_broken=True,
    )


def _inputs(pairs: Mapping[str, str], entry: Document, problems: list[Problem]) -> tuple[InputLink, ...]:
    links = []
    for key, source in pairs.items():
        where = entry.at(("input", key))
        try:
            links.append(InputLink(parse_target(key), parse_reference(source), where))
        except ValueError as error:
            problems.append(Problem(str(error), where))
    return tuple(links)


def _local(pairs: Mapping[str, Any], entry: Document, problems: list[Problem]) -> tuple[LocalValue, ...]:
    values = []
    for key, value in pairs.items():
        where = entry.at(("local", key))
        try:
            values.append(LocalValue(parse_target(key), value, where))
        except ValueError as error:
            problems.append(Problem(str(error), where))
    return tuple(values)


def _outputs(written: str | list[str] | None, entry: Document, problems: list[Problem]) -> tuple[str, ...] | None:
    if written is None:
        return None
    names = [written] if isinstance(written, str) else written
    for at, name in enumerate(names):
        where = entry.at(("output",) if isinstance(written, str) else ("output", at))
        if name in names[:at]:
            problems.append(Problem(f"the output '{name}' is named twice", where))
        if name == RESERVED_OUTPUT or not name:
            problems.append(Problem(f"'{name}' cannot be the name of an output", where, "choose another name"))
    return tuple(names) or None
