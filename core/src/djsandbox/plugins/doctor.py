"""Trying every installed plugin, so that a broken one is found before somebody needs it."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from djsandbox.components.base import Component
from djsandbox.components.config import ComponentConfig
from djsandbox.errors import PluginError
from djsandbox.plugins import manager
from djsandbox.plugins.checks import class_problem
from djsandbox.plugins.driver import load
from djsandbox.plugins.groups import FACTORIES
from djsandbox.plugins.index import Claim, PluginIndex
from djsandbox.plugins.requirements import CORE, unmet_requirements
from djsandbox.plugins.suggestions import DEFAULT

HEAVY_MODULES = frozenset({"torch", "transformers", "datasets", "wandb", "modelscope", "data_juicer", "tensorflow", "ray"})
"""Libraries that a component module must not import at its top: `validate` and `plan` import it."""

Check = Callable[[Claim, Any], object]
"""Raises PluginError where what a claim names, the second argument, is not what its group is for."""

_BOTH_LOAD = frozenset({manager.GROUP, "known_errors"})


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about one claim: a `problem` makes it unusable, `notes` say what is doubtful."""

    claim: Claim
    problem: PluginError | None
    notes: tuple[str, ...]

    @property
    def traceback(self) -> str | None:
        """Where the plugin's own code failed; None where it did not."""
        cause = self.problem.__cause__ if self.problem is not None else None
        return "".join(traceback.format_exception(cause)) if cause is not None else None


def examine(
    index: PluginIndex, bases: Mapping[str, type] | None = None, checks: Mapping[str, Check] | None = None
) -> list[Examination]:
    """Load every claim in every group of ours and say what is wrong with it.

    For groups that are no factories, by short group name, `bases` gives the base class that their classes must have, and
    `checks` what else must hold of what they name.
    """
    known = {group: factory.base_class() for group, factory in FACTORIES.items()} | dict(bases or {})
    return [
        _examine(claim, known.get(claim.group), (checks or {}).get(claim.group), index)
        for group in index.groups()
        for claim in index.claims(group)
    ]


def _examine(claim: Claim, base: type | None, check: Check | None, index: PluginIndex) -> Examination:
    unmet = unmet_requirements(claim.entry_point)
    notes = [*_rivals(claim, index), *unmet.values()]
    before = set(sys.modules)
    try:
        found = load(claim)
    except PluginError as error:
        return Examination(claim, error, tuple(notes))
    heavy = sorted(HEAVY_MODULES & (set(sys.modules) - before))
    if heavy:
        notes.append(f"importing it imports {', '.join(heavy)}: 'validate' and 'plan' wait for that; import where it is used")
    notes += _remarks(found)
    problem = _misfit(claim, found, base) or _failed(check, claim, found)
    if problem is None and CORE in unmet:
        problem = PluginError(f"{claim}: {unmet[CORE]}", fix=f"pip install --upgrade {claim.distribution} {CORE}")
        notes.remove(unmet[CORE])
    return Examination(claim, problem, tuple(notes))


def _misfit(claim: Claim, found: object, base: type | None) -> PluginError | None:
    if claim.group == manager.GROUP:
        return manager.registration_problem(found, claim.name)
    problem = class_problem(found, base, str(claim)) if base is not None else None
    if problem is None and inspect.isclass(found) and issubclass(found, Component):
        config: object = found.Config
        if not (inspect.isclass(config) and issubclass(config, ComponentConfig)):
            return PluginError(f"{claim}: its Config is no ComponentConfig", fix="class Config(ComponentConfig): ...")
    return problem


def _failed(check: Check | None, claim: Claim, found: object) -> PluginError | None:
    if check is None:
        return None
    try:
        check(claim, found)
    except PluginError as error:
        return error
    return None


def _remarks(found: object) -> Iterator[str]:
    if inspect.isclass(found) and issubclass(found, Component) and not found.__dict__.get("__doc__"):
        yield "its class has no docstring, whose first line 'components list' shows"


def _rivals(claim: Claim, index: PluginIndex) -> Iterator[str]:
    if claim.group in _BOTH_LOAD:
        return
    rivals = [rival for rival in index.claimants(claim.group, claim.name) if rival != claim]
    if rivals:
        others = ", ".join(f"{rival.distribution} {rival.version}" for rival in rivals)
        what = "is a default, too" if claim.name == DEFAULT else "claims the name, too"
        yield f'{others} {what}: a config must say type: "{claim.exact_type}" to mean this one'
