"""What is said of a job some of whose tasks failed."""

from __future__ import annotations

from collections.abc import Sequence

from djsandbox.components.task_outputs import TaskFailed
from djsandbox.errors import ComponentError

_SHOWN_NAMES = 20


def tasks_failed(failures: Sequence[TaskFailed], *, stopped: Sequence[str], not_begun: Sequence[str]) -> ComponentError:
    """One error for all of them: the first with all that is known of it, the others by name."""
    if not failures:
        return ComponentError(f"tasks were stopped before their end: {_names([*stopped, *not_begun])}")
    first, *others = failures
    problem = first.problems[0]
    parts = [problem.message]
    if others:
        parts.append(f"{_count(len(others), 'other task')} failed, too: {_names([other.name for other in others])}")
    if stopped:
        parts.append(f"{_count(len(stopped), 'task')} stopped because of it: {_names(stopped)}")
    if not_begun:
        parts.append(f"{_count(len(not_begun), 'task')} not begun: {_names(not_begun)}")
    error = ComponentError("\n".join(parts), fix=problem.fix)
    error.evidence = tuple(found for failure in failures for found in failure.evidence)
    return error


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
    return f"{shown} and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else shown


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
