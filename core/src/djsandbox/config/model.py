"""The sandbox config as the engine sees it: frozen, complete, with the place of everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from djsandbox.config.document import Document
from djsandbox.config.iteration import IterTarget, IterUpdate
from djsandbox.config.references import Reference, Target
from djsandbox.errors import Position

ANONYMOUS = "anonymous"
DEFAULT_STAGES = ("probe", "refine_recipe", "execution", "evaluation")
JOB_LIST_SUFFIX = "_job_configs"


@dataclass(frozen=True, slots=True)
class Block:
    """`dj_configs` or `extra_configs` of a job: a mapping, or the path of a file that holds it.

    `document` is the mapping with its positions; it is None where the block is empty or `path` names a file that does not
    exist (yet): an earlier job may write it.
    """

    document: Document | None
    path: str | None
    where: Position


@dataclass(frozen=True, slots=True)
class InputLink:
    """One pair of `input`: the place to update and the output it comes from."""

    target: Target
    reference: Reference
    where: Position


@dataclass(frozen=True, slots=True)
class LocalValue:
    """One pair of `local` (or an override from the command line): the place to update and the value.

    `if_there`: it is no error where there is no such place.
    """

    target: Target
    value: Any
    where: Position
    if_there: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One entry of a job list."""

    pipeline: str
    stage: str
    index: int
    hook: str
    meta_name: str
    inputs: tuple[InputLink, ...]
    outputs: tuple[str, ...] | None
    local: tuple[LocalValue, ...]
    dj_configs: Block
    extra_configs: Block
    reuse: bool
    where: Position
    places: Mapping[str, Position] = field(default_factory=dict)
    is_broken: bool = False
    """True for an entry that could not be read: it is not planned, but others may refer to it."""

    @property
    def id(self) -> str:
        """`<pipeline>/<stage>/<index>`."""
        return f"{self.pipeline}/{self.stage}/{self.index}"

    @property
    def label(self) -> str:
        """What people call the job: its meta_name, else its hook."""
        return self.meta_name or self.hook

    def at(self, key: str) -> Position:
        """The place of one of the job's own keys."""
        return self.places.get(key, self.where)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A named list of jobs in the order in which they run."""

    name: str
    jobs: tuple[Job, ...]
    where: Position


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """A whole sandbox config file, includes read and overrides applied."""

    file: Path
    project_name: str
    experiment_name: str
    work_dir: Path
    pipelines: tuple[Pipeline, ...]
    stages: tuple[str, ...] = DEFAULT_STAGES
    hpo_config: Path | None = None
    resume: bool = False
    debug: bool = False
    max_iter_num: int = 1
    iter_targets: tuple[IterTarget, ...] = ()
    iter_targets_mode: Literal["all", "any"] = "all"
    iter_updater: tuple[IterUpdate, ...] = ()
    launcher: Document | None = None
    """Who runs the tasks of jobs that do not say so themselves: a type, or a mapping of `type` and its options."""

    tracker: Document | None = None
    """Where the run is mirrored to: a type, a mapping of `type` and its options, or a list of these."""

    hpo_backend: str | None = None
    """Who searches in a sweep, where the sweep file does not say so."""

    positions: Document | None = None
    settings: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """The overrides with which the file was read: a trial of a sweep reads it again, in a process of its own."""

    @property
    def is_iterated(self) -> bool:
        """True where there may be more than one iteration."""
        return self.max_iter_num != 1

    @property
    def folder(self) -> Path:
        """The folder of the config file."""
        return self.file.parent

    def jobs(self) -> Iterator[Job]:
        """All jobs of all pipelines, in the order in which they run."""
        for pipeline in self.pipelines:
            yield from pipeline.jobs

    def says(self, key: str) -> bool:
        """Whether a global key was given, in the file or on the command line."""
        return self.positions is not None and key in self.positions.data

    def at(self, *loc: str | int) -> Position:
        """The place of a global key."""
        return self.positions.at(loc) if self.positions else Position(str(self.file))
