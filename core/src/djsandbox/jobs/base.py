"""What a job hook is: which factories a job uses, which block feeds each, and how the component is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from djsandbox.components.base import Component
from djsandbox.components.context import JobContext
from djsandbox.config.references import Block
from djsandbox.errors import Problem


@dataclass(frozen=True, slots=True)
class Use:
    """One component a job needs.

    `group` is the factory's entry-point group without the leading "djsandbox." (or a third party's own group in full),
    `block` the one that its Config is fed from, `default_type` the type where the job names none (None: the group's entry
    point "default"), `base` the class that the component must extend. With `writes=False` the job only reads with it: the
    output paths of its config mean nothing, and it need not have any.
    """

    group: str
    block: Block
    base: type[Component] = Component
    default_type: str | None = None
    writes: bool = True


@dataclass(frozen=True, slots=True)
class JobInputs:
    """The resolved blocks of the job at hand, and its surroundings."""

    dj_configs: Mapping[str, Any]
    extra_configs: Mapping[str, Any]
    type_name: str
    context: JobContext


@dataclass(frozen=True, slots=True)
class EarlierJob:
    """What a job hook may know, while planning, of a job that runs before its own."""

    id: str
    meta_name: str
    groups: tuple[str, ...]


class JobHook(ABC):
    """Base of all job hooks; a plugin registers its own in the group `djsandbox.job_hooks`.

    The class docstring is what `components list` shows.
    """

    uses: ClassVar[tuple[Use, ...]]

    @abstractmethod
    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Let the components (one for each of `uses`) do their work; returns the job's outputs."""

    def check(self, meta_name: str, earlier: Sequence[EarlierJob]) -> Iterable[Problem]:
        """What can be found wrong with the job's place among the others, before any job runs."""
        return ()

    def planned_documents(self, components: Sequence[Component], dj_configs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Config files that the job will write: path -> their content as far as it is known."""
        return {path: content for component in components for path, content in component.planned_documents().items()}

    def key_parts(self, inputs: JobInputs) -> Mapping[str, Any]:
        """What the result depends on beside the components' configs, as plain data; enters the content key."""
        return {}
