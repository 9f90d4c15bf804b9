"""The watcher as a component sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from djsandbox.watch.watcher import SandboxWatcher


@dataclass(frozen=True, slots=True)
class Source:
    """Who records: a job in one of its attempts, one of its tasks in its `number`-th try, or nobody in particular."""

    job_id: str = ""
    attempt: str = ""
    run_id: str = ""
    iteration: int | None = None
    task: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class BoundWatcher:
    """A watcher that knows for which job it records, and under which name when none is given."""

    watcher: SandboxWatcher
    source: Source
    meta_name: str
    queried: dict[str, str] = field(default_factory=dict)
    """Name -> digest of the answer, of what the job asked about others: its result may depend on it."""

    def of_task(self, task: str, number: int) -> BoundWatcher:
        """The watcher of one of the job's tasks in its `number`-th try; what it asks counts as asked by the job."""
        return replace(self, source=replace(self.source, task=task, number=number))

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        """Record a number, a string or a (nested) mapping of them; "" stands for the job's own meta_name, or else its id."""
        name = meta_name or self.meta_name or self.source.job_id
        self.watcher.log(self.source, res, name, step)

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        """Record a table for people; the tables of a run are printed at its end."""
        self.watcher.log_table(self.source, title, columns, rows, notes)

    def watch_cfgs(self, cfgs: Iterable[tuple[Any, str]]) -> None:
        """Record configs (mappings, models or namespaces; None is skipped), each with its prefix; secrets become `***`."""
        self.watcher.log_configs(self.source, cfgs)

    def query(self, meta_name: str) -> Any:
        """The latest value recorded under `meta_name`, a mapping where it has parts, None where there is nothing."""
        answer = self.watcher.query(meta_name)
        self.queried.setdefault(meta_name, self.watcher.answer_digest(meta_name, self.source.job_id))
        return answer
