"""`RefineRecipeViaKSigmaHook`."""

from __future__ import annotations

from typing import ClassVar

from djsandbox.jobs.base import Use
from djsandbox.jobs.refine_recipe import RefineRecipeHook, refiner


class RefineRecipeViaKSigmaHook(RefineRecipeHook):
    """Refine a recipe's bounds to mean +- k standard deviations of the analysed statistics."""

    uses: ClassVar[tuple[Use, ...]] = refiner("k_sigma")
    needs: ClassVar[str] = "the analysis to refine by"
