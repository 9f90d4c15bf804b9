"""Making a plan: every job is found, configured, linked and checked before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from djsandbox.components.annotated import annotated_result
from djsandbox.components.base import Component
from djsandbox.components.deferred import DECIDED_AT_RUN, DecidedAtRun, holds_stand_in, is_decided_at_run
from djsandbox.components.paths import path_uses, texts_of
from djsandbox.config.document import Document
from djsandbox.config.include import find_file, is_placeholder, read_mapping
from djsandbox.config.model import Job, SandboxConfig
from djsandbox.config.references import Reference
from djsandbox.engine.advice import advise, advise_on_files
from djsandbox.engine.environments import environment_problems
from djsandbox.engine.guard import asked
from djsandbox.engine.iteration import check_iteration, deferred_updates, updated
from djsandbox.engine.launching.choice import choose
from djsandbox.engine.links import Source, find_source
from djsandbox.engine.outputs import name_planned_outputs
from djsandbox.engine.parts import PlannedPart, plan_part
from djsandbox.engine.placement import Products, logical
from djsandbox.engine.planned import Plan, PlannedJob
from djsandbox.engine.preconditions import unwritable
from djsandbox.engine.resolve import ResolvedBlock, resolve_block
from djsandbox.errors import ConfigError, Position, Problem, SandboxError
from djsandbox.jobs.base import EarlierJob, JobHook
from djsandbox.plugins.resolve import resolve


@dataclass(slots=True)
class Planner:
    """Plans the jobs of a config one after another; `problems` collects what is wrong with any of them."""

    config: SandboxConfig
    problems: list[Problem] = field(default_factory=list)
    planned: list[PlannedJob] = field(default_factory=list)
    earlier: list[EarlierJob] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    products: Products = field(default_factory=Products)
    documents: dict[str, Document] = field(default_factory=dict)

    def plan_all(self) -> None:
        """Plan every job; one that cannot be planned is reported and skipped, the rest are still checked."""
        for job in self.config.jobs():
            if job.is_broken:
                self.sources.append(Source(job, dict.fromkeys(job.outputs or (), DECIDED_AT_RUN)))
                continue
            try:
                planned = self._plan(job)
            except SandboxError as error:
                self.problems.extend(_located(error, job.at("hook")))
                outputs = dict.fromkeys(job.outputs or (), DECIDED_AT_RUN)
                self.sources.append(Source(job, outputs))
                continue
            self.planned.append(planned)
            self.earlier.append(EarlierJob(job.id, job.meta_name, tuple(use.group for use in planned.hook.uses)))
            self.sources.append(Source(job, planned.outputs))
            for path in planned.writes:
                self.products.add(job.id, path)

    def _plan(self, job: Job) -> PlannedJob:
        origin = resolve("job_hooks", job.hook, base=JobHook, folder=self.config.folder)
        hook: JobHook = origin.component_class()
        reads: set[str] = set()

        def lookup(reference: Reference) -> Any:
            source = find_source(reference, self.sources, list(self.config.jobs()))
            reads.add(source.job.id)
            return source.value(reference.path)

        def read_file(path: str) -> Document | DecidedAtRun | None:
            producer = self.products.producer(path)
            if producer is not None:
                reads.add(producer)
                return self.documents.get(logical(path), DECIDED_AT_RUN)
            found = find_file(path, self.config.folder)
            return read_mapping(found) if found else None

        blocks = {}
        for name in ("dj_configs", "extra_configs"):
            blocks[name] = resolve_block(job, name, lookup, read_file, self.problems)
        parts = tuple(
            plan_part(use, at, job, hook, blocks, self.config.folder, self.problems) for at, use in enumerate(hook.uses)
        )
        self.problems.extend(
            Problem(found.message, found.where or job.at("meta_name"), found.fix, found.severity)
            for found in hook.check(job.meta_name, self.earlier)
        )
        for part in parts:
            if part.is_whole:
                part.answer("key_fields()", lambda component: dict(component.key_fields()), dict[str, Any]())
            reads.update(self._check_inputs(part))
            self._check_outputs(part, job)
            reads.update(self._named_outputs(part))
        components = [part.component for part in parts if part.component is not None and part.is_whole]
        self._note_documents(hook, components, blocks["dj_configs"])
        return PlannedJob(
            job=job,
            hook=hook,
            hook_origin=origin,
            parts=parts,
            dj_configs=blocks["dj_configs"],
            extra_configs=blocks["extra_configs"],
            reads=frozenset(reads),
            outputs=self._outputs(job, parts),
            writes=tuple(path for part in parts for path in part.output_paths()),
        )

    def _note_documents(self, hook: JobHook, components: Sequence[Component], recipe: ResolvedBlock) -> None:
        documents = asked(type(hook), "planned_documents()", lambda: dict(hook.planned_documents(components, recipe.data)))
        for path, content in documents.items():
            if not is_decided_at_run(path):
                self.documents[logical(path)] = recipe.document.rewritten(content, path)

    def _outputs(self, job: Job, parts: Sequence[PlannedPart]) -> Mapping[str, Any] | None:
        result: Any = DECIDED_AT_RUN
        if parts:
            result = parts[-1].answer("planned_outputs()", lambda component: component.planned_outputs(), DECIDED_AT_RUN)
            if result is DECIDED_AT_RUN or holds_stand_in(result):
                result = annotated_result(parts[-1].component)
        try:
            return name_planned_outputs(result, job.outputs)
        except SandboxError as error:
            self.problems.extend(_located(error, job.at("output")))
            return dict.fromkeys(job.outputs or (), DECIDED_AT_RUN)

    def _check_outputs(self, part: PlannedPart, job: Job) -> None:
        """Every output can be written: a job that has worked for hours must not find out that it cannot."""
        if part.component is None:
            return
        places = {
            use.value: part.block.document.at(use.loc) for use in path_uses(part.component.config) if use.kind == "output"
        }
        for path in dict.fromkeys(part.output_paths()):
            obstacle = None if is_placeholder(path, as_path=True) else unwritable(path)
            if obstacle:
                message = f"the output '{path}' cannot be written: {obstacle}"
                self.problems.append(Problem(message, places.get(path, job.where), "choose another path"))

    def _check_inputs(self, part: PlannedPart) -> set[str]:
        """Every input exists or is written by an earlier job; returns the ids of those jobs."""
        reads: set[str] = set()
        if part.component is None:
            return reads
        for use in path_uses(part.component.config):
            where = part.block.document.at(use.loc)
            if part.block.defers(use.loc) or is_decided_at_run(use.value) or (use.kind == "output" and not part.use.writes):
                continue
            if is_placeholder(use.value, as_path=True):
                fix = "write the path there, or let 'input' replace it"
                self.problems.append(Problem(f"nothing replaces the placeholder '{use.value}'", where, fix))
            elif use.kind != "output":
                producer = self.products.around(use.value)
                if producer is not None:
                    reads.add(producer)
                elif not os.path.exists(use.value):
                    self.problems.append(_missing(use.value, where))
        return reads

    def _named_outputs(self, part: PlannedPart) -> set[str]:
        """Jobs whose outputs are named by texts of the config that are not typed as paths."""
        texts = texts_of(part.block.data) if part.component is not None else set()
        return {producer for text in texts if (producer := self.products.producer(text)) is not None}


def _missing(path: str, where: Position) -> Problem:
    """The same whichever job it is for: what several include is one mistake."""
    fix = "check the path (relative paths start at the current directory), or the job that should write it"
    return Problem(f"'{path}' does not exist, and no earlier job writes it", where, fix)


def make_plan(config: SandboxConfig) -> Plan:
    """Plan `config`; ConfigError with every problem found, warnings included, where there is an error."""
    planner = Planner(config)
    planner.plan_all()
    if config.launcher is not None:
        choose(config.launcher, config.folder, planner.problems)
    jobs = tuple(planner.planned)
    environments = [part.environment for planned in jobs for part in planned.parts if part.environment is not None]
    problems = [
        *planner.problems,
        *environment_problems(environments),
        *check_iteration(config, planner.sources),
        *_later_problems(planner),
        *advise(jobs, config),
        *advise_on_files(config),
    ]
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError.of(problems)
    return Plan(config, jobs, tuple(dict.fromkeys(problems)))


def _later_problems(first: Planner) -> list[Problem]:
    """What is wrong with the jobs of a second iteration, with what the first hands over to them, that is right in the first."""
    config = first.config
    handed_over = deferred_updates(config)
    if not handed_over:
        return []
    pipelines = (
        replace(pipeline, jobs=tuple(updated(job, handed_over) for job in pipeline.jobs)) for pipeline in config.pipelines
    )
    later = Planner(replace(config, pipelines=tuple(pipelines)))
    later.plan_all()
    return [problem for problem in later.problems if problem not in first.problems]


def _located(error: SandboxError, where: Position) -> list[Problem]:
    """The problems of `error`; those without a place are put at `where`."""
    return [replace(problem, where=problem.where or where) for problem in error.problems]
