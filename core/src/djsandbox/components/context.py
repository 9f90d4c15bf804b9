"""What the engine hands to a component for the time of one job."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from djsandbox.components.environment import Environment

if TYPE_CHECKING:
    from djsandbox.components.task_runner import TaskRunner


class Watcher(Protocol):
    """Where metrics go. The engine gives a component one that is bound to its job."""

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        """Record a number, a string or a (nested) mapping of them; "" stands for the job's own meta_name."""

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        """Record a table for people; the tables of a run are printed at its end."""

    def query(self, meta_name: str) -> Any:
        """The latest value recorded under `meta_name`, a mapping where it has parts, None where there is nothing."""


class _Unwatched:
    """Stands in for a watcher when a component is used on its own, outside of a run."""

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        pass

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        pass

    def query(self, meta_name: str) -> Any:
        return None


@dataclass(frozen=True, slots=True)
class JobContext:
    """A component's surroundings.

    `work_dir` is the job's own folder, made by the engine and emptied before every attempt; `cache_dir` is one that the
    jobs of a run share; `log_file` receives what the component logs or prints. `tasks` runs tasks during a run; in the context
    of one of them `task` is its name, and watcher and logger are its own. `environment` is there while the job runs whose
    component needs one.
    """

    meta_name: str = ""
    job_id: str = ""
    iteration: int = 1
    work_dir: Path = field(default_factory=lambda: Path("outputs"))
    cache_dir: Path = field(default_factory=lambda: Path("outputs") / "cache")
    log_file: Path | None = None
    watcher: Watcher = field(default_factory=_Unwatched)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("djsandbox.component"))
    tasks: TaskRunner | None = None
    task: str = ""
    environment: Environment | None = None
