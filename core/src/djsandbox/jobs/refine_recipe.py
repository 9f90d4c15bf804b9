"""What the two recipe-refining job hooks share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from djsandbox.components.base import Component
from djsandbox.components.roles import BaseRecipeRefiner
from djsandbox.errors import Problem
from djsandbox.jobs.base import EarlierJob, JobHook, JobInputs, Use


class RefineRecipeHook(JobHook):
    """Base of job hooks that refine the recipe in `dj_configs` by what the job of the same meta_name saw."""

    needs: ClassVar[str] = "what to refine by"
    """What kind of job must have run under the same meta_name, for messages."""

    def run(self, components: Sequence[Any], inputs: JobInputs) -> Any:
        """Refine; returns the path of the new recipe."""
        return components[0].run(dict(inputs.dj_configs), self._feedback(inputs))

    def check(self, meta_name: str, earlier: Sequence[EarlierJob]) -> Iterable[Problem]:
        """The feedback is found by meta_name, so a job of that name must come before."""
        if any(job.meta_name == meta_name for job in earlier if meta_name):
            return
        names = sorted({job.meta_name for job in earlier if job.meta_name})
        fix = f"give it the meta_name of {self.needs}"
        known = f" (before it: {', '.join(names)})" if names else " (no job with a meta_name runs before it)"
        yield Problem(f"no earlier job has the meta_name '{meta_name}', so there is nothing to refine by", fix=fix + known)

    def planned_documents(self, components: Sequence[Component], dj_configs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The refined recipe: for the plan, the source recipe, whose bounds are not yet decided."""
        return {path: dict(dj_configs) for component in components for path in component.output_paths()}

    def key_parts(self, inputs: JobInputs) -> Mapping[str, Any]:
        """The recipe and the feedback."""
        return {"recipe": inputs.dj_configs, "feedback": self._feedback(inputs)}

    @staticmethod
    def _feedback(inputs: JobInputs) -> Any:
        return inputs.context.watcher.query(inputs.context.meta_name)


def refiner(default_type: str) -> tuple[Use, ...]:
    """The one component that such a job uses."""
    return (Use("recipe_refiners", "extra_configs", BaseRecipeRefiner, default_type),)
