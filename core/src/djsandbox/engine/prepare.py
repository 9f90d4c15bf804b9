"""A job about to run: its components with real values, and the content key that says what its result depends on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox.components.base import Component
from djsandbox.components.context import JobContext
from djsandbox.components.paths import PathUse, path_uses, replace_paths, texts_of
from djsandbox.config.document import Document
from djsandbox.config.include import find_file, read_mapping
from djsandbox.config.references import Reference
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.environments import AskedEnvironment
from djsandbox.engine.ingredients import Ingredients, component_ingredients, job_ingredients
from djsandbox.engine.launching.choice import ChosenLauncher
from djsandbox.engine.parts import PlannedPart, plan_part
from djsandbox.engine.placement import Placement, Products, unplaced
from djsandbox.engine.planned import PlannedJob
from djsandbox.engine.resolve import resolve_block
from djsandbox.errors import ConfigError, Problem, SandboxError
from djsandbox.jobs.base import JobInputs
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.journal.history import JobRecord
from djsandbox.journal.keys import content_key
from djsandbox.plugins.groups import FACTORIES
from djsandbox.plugins.manager import SandboxPluginManager
from djsandbox.plugins.supplier import Supplier


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A job ready to run, or to be found among what has already been run."""

    planned: PlannedJob
    components: tuple[Component, ...]
    inputs: JobInputs
    key: str
    ingredients: Mapping[str, str]
    placed: Mapping[str, str]
    """Output field -> where it goes now."""

    seen: Mapping[str, str]
    """Input path -> its fingerprint when the key was made."""

    launcher: ChosenLauncher | None = None
    """Who runs the job's tasks, where the job says so."""

    environments: tuple[AskedEnvironment | None, ...] = ()
    """For each component the environment that it runs in, if any."""

    @property
    def deterministic(self) -> bool:
        """True where the result may be shared between iterations, trials and runs."""
        return all(component.deterministic for component in self.components)

    def identity_of(self, record: JobRecord) -> str:
        """What those who read from this job depend on.

        The key alone where it decides the result; else the one execution as well, because the same job executed again may
        give something else.
        """
        decides = self.deterministic and self.planned.job.reuse
        return record.key if decides else f"{record.key}@{record.attempt}"


@dataclass(slots=True)
class Iteration:
    """What the jobs of one iteration have left for those after them."""

    number: int
    context: ContextInfos
    products: Products = field(default_factory=Products)
    keys: dict[str, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    """Paths that the iteration before handed over to the job at hand: they mean its outputs, not those of this one."""

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Absolute path of what a job of this iteration left -> (its fingerprint then, the job's id)."""

    def hand_on(self, prepared: PreparedJob, record: JobRecord, outputs: Mapping[str, Any]) -> None:
        """Let later jobs find the outputs of a finished one."""
        job = prepared.planned.job
        self.keys[job.id] = prepared.identity_of(record)
        self.context.record(job.pipeline, job.id, job.meta_name, outputs)
        for path in prepared.placed.values():
            self.products.add(job.id, path)
        self.files.update({os.path.abspath(path): (found, job.id) for path, found in record.files.items()})


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares jobs one after another."""

    folder: Path
    manager: SandboxPluginManager
    fingerprints: Fingerprints
    placement: Placement

    def prepare(self, planned: PlannedJob, iteration: Iteration, context: JobContext) -> PreparedJob:
        """Resolve the job's values, make its components and compute its key; SandboxError where that is impossible."""
        job = planned.job
        problems: list[Problem] = []

        def lookup(reference: Reference) -> Any:
            try:
                if reference.pipeline is None or reference.meta_name is None:
                    return iteration.context.last(reference.path)
                return iteration.context.lookup(reference.pipeline, reference.meta_name, reference.path)
            except SandboxError as error:
                problem = error.problems[0]
                raise LookupError(problem.message, problem.fix) from error

        def read_file(path: str) -> Document | None:
            found = find_file(path if path in iteration.given else iteration.products.actual(path), self.folder)
            return read_mapping(found) if found else None

        dj_configs = resolve_block(job, "dj_configs", lookup, read_file, problems)
        extra_configs = resolve_block(job, "extra_configs", lookup, read_file, problems)
        blocks = {"dj_configs": dj_configs, "extra_configs": extra_configs}
        parts = [
            plan_part(use, at, job, planned.hook, blocks, self.folder, problems) for at, use in enumerate(planned.hook.uses)
        ]
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise ConfigError.of(errors)
        types = [part.origin.type_name for part in parts if part.origin is not None]
        inputs = JobInputs(dj_configs.data, extra_configs.data, types[-1] if types else "", context)
        ingredients = job_ingredients(planned, inputs)
        ingredients.upstream.update(iteration.keys[name] for name in planned.reads if name in iteration.keys)
        components, placed = [], {}
        for at, part in enumerate(parts):
            component, supplier = self._component(part, iteration)
            components.append(component.attach(context))
            self._note(at, part, component, supplier, iteration, ingredients)
            if part.environment is not None:
                ingredients.environment[f"{at}:{part.use.group}"] = part.environment.hash()
            placed.update(_placed(at, component) if part.use.writes else {})
        return PreparedJob(
            planned=planned,
            components=tuple(components),
            inputs=inputs,
            key=content_key(ingredients.parts()),
            ingredients=ingredients.digests(),
            placed=placed,
            seen=ingredients.seen,
            environments=tuple(part.environment for part in parts),
            launcher=next((part.launcher for part in parts if part.launcher is not None), None),
        )

    def _component(self, part: PlannedPart, iteration: Iteration) -> tuple[Component, Supplier | None]:
        assert part.component is not None and part.origin is not None  # noqa: S101 - there were no problems
        config = replace_paths(part.component.config, lambda use: self._place(use, iteration))
        factory = FACTORIES.get(part.use.group)
        if factory is None:
            return part.origin.component_class(config), None
        return self.manager.make(factory.role, factory.group, part.origin.component_class, config)

    def _place(self, use: PathUse, iteration: Iteration) -> str:
        if use.kind == "output":
            return self.placement.place(use.value)
        return use.value if use.value in iteration.given else iteration.products.actual(use.value)

    def _note(
        self,
        at: int,
        part: PlannedPart,
        component: Component,
        supplier: Supplier | None,
        iteration: Iteration,
        ingredients: Ingredients,
    ) -> None:
        assert part.component is not None and part.origin is not None  # noqa: S101
        written = part.component
        spelled = {self._place(use, iteration): use.value for use in path_uses(written.config)}
        if supplier is None:
            component_ingredients(at, part.origin, written, supplier, ingredients)
        else:
            with _spelled_as(component, spelled):
                component_ingredients(at, part.origin, component, supplier, ingredients)
        for use in path_uses(component.config):
            is_ours = use.kind != "output" and use.value not in iteration.given
            producer = iteration.products.around(use.value) if is_ours else None
            if producer in iteration.keys:
                ingredients.upstream.add(iteration.keys[str(producer)])
            if use.kind == "input":
                name = unplaced(spelled.get(use.value, use.value))
                ingredients.add_input(f"{at}:{name}", use.value, self._fingerprint(use.value, iteration))
        for path in component.referenced_files():
            ingredients.add_input(f"{at}>{path}", path, self._fingerprint(path, iteration))
        typed = {use.value for use in path_uses(component.config)}
        for path in texts_of(component.config.model_dump()) - typed - iteration.given:
            producer = iteration.products.producer(path)
            if producer in iteration.keys:
                ingredients.upstream.add(iteration.keys[str(producer)])

    def _fingerprint(self, path: str, iteration: Iteration) -> str:
        try:
            found = self.fingerprints.of(path)
        except FileNotFoundError as error:
            raise SandboxError(f"the input '{path}' does not exist", fix="check the job that should have written it") from error
        whole = os.path.abspath(path)
        inside = [name for name in iteration.files if name.startswith(whole + os.sep)] if os.path.isdir(whole) else []
        for known in [*inside, *([whole] if whole in iteration.files else [])]:
            expected, job_id = iteration.files[known]
            if not os.path.exists(known) or self.fingerprints.of(known) != expected:
                raise SandboxError(
                    f"'{os.path.relpath(known)}' was changed since {job_id} wrote it in this run: something else writes there",
                    fix="runs beside each other need different output paths, not only different work_dirs; then --resume",
                )
        return found


@contextmanager
def _spelled_as(component: Component, spelled: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile the paths of `component` are those of the config, wherever this iteration or trial places them."""
    placed = component.config
    component.config = replace_paths(placed, lambda use: spelled.get(use.value, use.value))
    try:
        yield
    finally:
        component.config = placed


def _placed(at: int, component: Component) -> dict[str, str]:
    written = set(component.output_paths())
    placed = {
        f"{at}:{'.'.join(map(str, use.loc))}": use.value
        for use in path_uses(component.config)
        if use.kind == "output" and use.value in written
    }
    others = sorted(written - set(placed.values()))
    return {**placed, **{f"{at}:{number}": path for number, path in enumerate(others)}}
