"""What is allowed but probably not meant."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from djsandbox.components.paths import path_uses
from djsandbox.config.include import passed_over
from djsandbox.config.model import SandboxConfig
from djsandbox.engine.placement import Placement
from djsandbox.engine.planned import PlannedJob
from djsandbox.errors import Position, Problem

_ANALYZERS = "data_analyzers"


def advise(jobs: Sequence[PlannedJob], config: SandboxConfig) -> Iterator[Problem]:
    """Warnings about planned jobs, and an error where outputs of two would become one."""
    for at, planned in enumerate(jobs):
        yield from _same_analysis(planned, jobs[:at] if planned.parts[0].use.group == _ANALYZERS else ())
    if config.hpo_backend is not None and config.hpo_config is None:
        message = "'hpo_backend' does nothing without 'hpo_config'"
        yield Problem(message, config.at("hpo_backend"), "hpo_config: sweep.yaml", severity="warning")
    yield from _overwritten(jobs, Placement(1 if config.is_iterated else None, 0 if config.hpo_config else None))


def advise_on_files(config: SandboxConfig) -> Iterator[Problem]:
    """Warnings about files of the current directory that are taken for those beside the config."""
    written = [(config.positions.data.get("hpo_config"), config.at("hpo_config"))] if config.positions else []
    written += [(block.path, block.where) for job in config.jobs() for block in (job.dj_configs, job.extra_configs)]
    for path, where in written:
        other = passed_over(path, Path(where.file).parent) if isinstance(path, str) else None
        if other is not None:
            message = f"'{path}' is the file in the current directory; the one beside this file, '{other}', differs"
            yield Problem(message, where, "rename one of them, or write the whole path", severity="warning")


def _same_analysis(planned: PlannedJob, earlier: Sequence[PlannedJob]) -> Iterator[Problem]:
    """The same data analysed again after it was processed: before and after would be equal."""
    part = planned.parts[0]
    if part.use.group != _ANALYZERS or part.component is None or not part.is_whole:
        return
    for at, before in enumerate(earlier):
        twin = before.parts[0]
        is_twin = (
            twin.use.group == part.use.group
            and twin.component is not None
            and twin.is_whole
            and twin.component.key_fields() == part.component.key_fields()
        )
        processing = [job for job in earlier[at + 1 :] if job.parts[0].use.group == "data_executors"]
        if is_twin and processing:
            made = processing[-1].job
            source = f"{made.pipeline}.{made.meta_name or 'process'}.{(made.outputs or ('res_0',))[0]}"
            naming = "" if made.meta_name else f"give {made.id} the meta_name 'process' and "
            yield Problem(
                f"{planned.job.id} ({planned.job.label}) analyses the same data as {before.job.id} ({before.job.label}), "
                "not what was made of it in between: before and after will be equal",
                planned.job.where,
                f"{naming}add here:  input: {{dj_configs.dataset_path: {source}}}",
                severity="warning",
            )
            return


def _overwritten(jobs: Sequence[PlannedJob], placement: Placement) -> Iterator[Problem]:
    """Two jobs that write one file: the second overwrites the first, and a resumed run repeats both.

    Jobs that add to a file may share it.
    """
    writers: dict[str, tuple[str, str, bool]] = {}
    for planned in jobs:
        for path, where, appends in _files(planned):
            placed = placement.place(path)
            first, its_path, first_appends = writers.setdefault(os.path.abspath(placed), (planned.job.id, path, appends))
            if first == planned.job.id or (appends and first_appends):
                continue
            if os.path.abspath(path) != os.path.abspath(its_path):
                message = f"{first} writes '{its_path}' and {planned.job.id} '{path}', and both would be placed at '{placed}'"
                yield Problem(message, where, "give one of them a path that differs in more than the folder of an iteration")
            else:
                yield Problem(
                    f"{first} and {planned.job.id} both write '{path}': the second overwrites the first",
                    where,
                    "give one of them another path",
                    severity="warning",
                )


def _files(planned: PlannedJob) -> Iterator[tuple[str, Position, bool]]:
    """The files that a job writes, where the config says so, and whether the job adds to them."""
    for part in planned.parts:
        if part.component is None or not part.is_whole:
            continue
        written = set(part.output_paths())
        for use in path_uses(part.component.config):
            is_file = "." in use.value.rstrip("/").rsplit("/", 1)[-1]
            if use.kind == "output" and use.value in written and is_file:
                yield use.value, part.block.document.at(use.loc), use.appends
