"""What a job's result depends on, one ingredient a name: together they make the content key."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import Any

from djsandbox.components.base import Component
from djsandbox.components.paths import Loc, path_uses
from djsandbox.engine.placement import unplaced
from djsandbox.engine.planned import PlannedJob
from djsandbox.jobs.base import JobInputs
from djsandbox.journal.keys import content_key
from djsandbox.journal.values import encode
from djsandbox.plugins.resolve import Resolved
from djsandbox.plugins.sources import worker_digest
from djsandbox.plugins.supplier import Supplier

_DIGEST_LENGTH = 16


@dataclass(slots=True)
class Ingredients:
    """The ingredients of one content key, as plain data."""

    hook: dict[str, Any] = field(default_factory=dict)
    component: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    feedback: dict[str, Any] = field(default_factory=dict)
    upstream: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)
    """Input path -> fingerprint; not an ingredient itself, as the paths may differ where the content does not."""

    def add_input(self, name: str, path: str, fingerprint: str) -> None:
        """Note the content of an input, under a name that does not depend on where it was placed."""
        self.inputs[name] = fingerprint
        self.seen[path] = fingerprint

    def parts(self) -> dict[str, Any]:
        """All ingredients, by name."""
        names = [name for name in self.__slots__ if name not in ("upstream", "seen")]
        return {**{name: getattr(self, name) for name in names}, "upstream": sorted(self.upstream)}

    def digests(self) -> dict[str, str]:
        """A short digest of each ingredient, to tell later which one changed."""
        return {name: content_key({"": part})[:_DIGEST_LENGTH] for name, part in self.parts().items()}


def job_ingredients(planned: PlannedJob, inputs: JobInputs) -> Ingredients:
    """The ingredients that the job hook brings; the meta_name is one because metrics bear it."""
    origin = planned.hook_origin
    return Ingredients(
        hook={"type": planned.job.hook, "class": origin.component_class.__qualname__, "meta_name": planned.job.meta_name},
        versions={"hook": [origin.distribution, origin.version, origin.source_digest]},
        feedback={name: encode(part, name=name) for name, part in planned.hook.key_parts(inputs).items()},
    )


def component_ingredients(
    at: int, origin: Resolved, component: Component, supplier: Supplier | None, ingredients: Ingredients
) -> None:
    """Add those of one component: what it is, its versions, and its config without outputs."""
    name = f"{at}:{origin.group}"
    ingredients.component[name] = [origin.type_name, type(component).__qualname__, supplier and supplier.name]
    ingredients.versions[name] = [origin.distribution, origin.version, origin.source_digest, component.key_version]
    if supplier is not None:
        ingredients.versions[name] += supplier.as_data()
    if component.workers and origin.source_digest is not None:  # else the version says it
        ingredients.versions[name].append([worker_digest(type(component), worker) for worker in component.workers])
    ingredients.libraries.update({library: library_version(library) for library in component.libraries})
    fields = encode(dict(component.key_fields()), name="key_fields")
    for use in path_uses(component.config):
        if use.kind == "output":
            # The suffix may decide the format; where the file goes does not change what is in it.
            _put(fields, use.loc, PurePath(use.value).suffix)
        elif use.kind == "input":
            # Its content is an ingredient of its own: the same file of another iteration or trial is the same input.
            _put(fields, use.loc, unplaced(use.value))
    ingredients.config[name] = fields


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of the ingredients whose digests differ."""
    return [name for name in now if before.get(name) != now[name]]


@cache
def library_version(distribution: str) -> str:
    """The version of an installed distribution, or that there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _put(data: Any, loc: Loc, text: str) -> None:
    """Replace the path at `loc`, if `data` still has it there."""
    for step in loc[:-1]:
        if not _holds(data, step):
            return
        data = data[step]
    if _holds(data, loc[-1]):
        data[loc[-1]] = text


def _holds(data: Any, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)
