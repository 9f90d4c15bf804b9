"""What a job returned, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from djsandbox.components.deferred import DECIDED_AT_RUN, DecidedAtRun
from djsandbox.errors import ComponentError


def name_outputs(result: Any, declared: Sequence[str] | None) -> dict[str, Any]:
    """Name the parts of `result`: a tuple is several outputs, None is none at all.

    Without `declared` names they are res_0, res_1, ... Raises ComponentError where the counts differ.
    """
    values = () if result is None else result if isinstance(result, tuple) else (result,)
    if declared is None:
        return {f"res_{at}": value for at, value in enumerate(values)}
    if len(values) != len(declared):
        raise ComponentError(
            f"'output' names {_count(len(declared))} ({', '.join(declared)}), but the job returns {_count(len(values))}",
            fix="name as many outputs as the job returns",
        )
    return dict(zip(declared, values, strict=True))


def name_planned_outputs(result: Any, declared: Sequence[str] | None) -> dict[str, Any] | None:
    """As `name_outputs` for what a plan knows: None where the job will have no output."""
    if result is None and declared is None:
        return None
    is_open = isinstance(result, DecidedAtRun) and not result.kind and len(declared or ()) != 1
    if result is None or is_open or (isinstance(result, DecidedAtRun) and declared is None):
        return dict.fromkeys(declared or (), DECIDED_AT_RUN)
    return name_outputs(result, declared)


def _count(number: int) -> str:
    return {0: "no result", 1: "1 result"}.get(number, f"{number} results")
