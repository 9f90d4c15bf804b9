"""`RefineRecipeViaModelFeedbackHook`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from djsandbox.errors import Problem
from djsandbox.jobs.base import EarlierJob, Use
from djsandbox.jobs.refine_recipe import RefineRecipeHook, refiner


class RefineRecipeViaModelFeedbackHook(RefineRecipeHook):
    """Refine a recipe's bounds to those whose samples a model does best on."""

    uses: ClassVar[tuple[Use, ...]] = refiner("model_feedback")

    def check(self, meta_name: str, earlier: Sequence[EarlierJob]) -> Iterable[Problem]:
        """Nothing: the feedback may be a file that was there before, so no job need have made it."""
        return ()
