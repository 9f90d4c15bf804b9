"""Values from the command line: global keys as options, and `--set a.b.c=value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from djsandbox.config.document import Document, Loc, parse_document
from djsandbox.config.model import JOB_LIST_SUFFIX, Job, LocalValue
from djsandbox.config.references import BLOCKS, Target
from djsandbox.errors import ConfigError, Position, Problem, nearest

COMMAND_LINE = "--set "
"""How the place of a value begins that was given on the command line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set`: the dotted address, the value and, for messages, the text as typed."""

    address: tuple[str, ...]
    value: Any
    where: Position

    @property
    def block_at(self) -> int | None:
        """Where in the address `dj_configs` or `extra_configs` stands, if it addresses a block of a job."""
        return next((at for at, step in enumerate(self.address) if step in BLOCKS and at > 0), None)


def parse_setting(text: str) -> Setting:
    """Parse `a.b.c=value`; the value is YAML (`3`, `true`, `[a, b]`, `text`)."""
    address, separator, value = text.partition("=")
    steps = tuple(step.strip() for step in address.split("."))
    where = Position(f"{COMMAND_LINE}{address}")  # without the value, which may be a secret
    if not separator or not all(steps):
        raise ConfigError("write --set key=value or --set a.b.c=value", where=where)
    try:
        return Setting(steps, parse_document(value, where.file).data, where)
    except ConfigError as error:
        raise ConfigError(error.problems[0].message, where=where, fix="put the value in quotes") from error


def apply_settings(document: Document, settings: Sequence[Setting]) -> tuple[Document, list[Problem]]:
    """`document` with the settings that address the config itself (those for a job's blocks are applied to the job)."""
    problems: list[Problem] = []
    for setting in settings:
        if setting.block_at is not None:
            continue
        meant = [(step, guess) for step in setting.address[1:] if (guess := nearest(step, BLOCKS))]
        if meant:
            step, guess = meant[0]
            problems.append(Problem(f"a job has no block '{step}'", setting.where, f"did you mean '{guess}'?"))
            continue
        loc: Loc = tuple(int(step) if step.isdigit() else step for step in setting.address)
        try:
            document = document.with_value(loc, setting.value, setting.where)
        except KeyError as error:
            problems.append(Problem(f"there is nothing at '{error.args[0]}' to set", setting.where))
    return document, problems


def apply_options(document: Document, options: Mapping[str, Any]) -> Document:
    """`document` with the global keys given as command-line options; None means not given."""
    for key, value in options.items():
        if value is not None:
            document = document.with_value((key,), value, Position(f"--{key}"))
    return document


def job_settings(settings: Sequence[Setting], jobs: Sequence[Job]) -> tuple[dict[str, list[LocalValue]], list[Problem]]:
    """The settings that address a block of a job, by job id; a problem for each that addresses no job, or several.

    A job is addressed as `pipeline.meta_name`, by its meta_name alone where one pipeline has it, or as it stands in the file
    (`execution_job_configs.0`, `pipelines.name.execution_job_configs.0`).
    """
    found: dict[str, list[LocalValue]] = {}
    problems: list[Problem] = []
    for setting in settings:
        at = setting.block_at
        if at is None:
            continue
        who, block, path = setting.address[:at], setting.address[at], setting.address[at + 1 :]
        matches = [job for job in jobs if who in _addresses(job)]
        if len(matches) != 1:
            names = sorted({".".join(address) for job in jobs for address in _addresses(job)[:1]})
            count = "no job" if not matches else f"{len(matches)} jobs"
            problems.append(Problem(f"'{'.'.join(who)}' addresses {count}", setting.where, f"jobs: {', '.join(names)}"))
            continue
        target = Target(".".join(setting.address[at:]), "dj_configs" if block == "dj_configs" else "extra_configs", path)
        found.setdefault(matches[0].id, []).append(LocalValue(target, setting.value, setting.where))
    return found, problems


def _addresses(job: Job) -> list[tuple[str, ...]]:
    entry = (f"{job.stage}{JOB_LIST_SUFFIX}", str(job.index))
    addresses: list[tuple[str, ...]] = [(job.pipeline, job.meta_name), (job.meta_name,)] if job.meta_name else []
    return [*addresses, entry, (job.pipeline, *entry), ("pipelines", job.pipeline, *entry)]
