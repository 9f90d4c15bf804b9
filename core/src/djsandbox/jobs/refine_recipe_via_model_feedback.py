"""`RefineRecipeViaModelFeedbackHook`."""

from __future__ import annotations

from typing import ClassVar

from djsandbox.jobs.base import Use
from djsandbox.jobs.refine_recipe import RefineRecipeHook, refiner


class RefineRecipeViaModelFeedbackHook(RefineRecipeHook):
    """Refine a recipe's bounds to those whose samples a model does best on."""

    uses: ClassVar[tuple[Use, ...]] = refiner("model_feedback")
    needs: ClassVar[str] = "the model inference to refine by"
