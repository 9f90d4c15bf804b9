"""The tracker: writes what happens to event files."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from djsandbox import ComponentConfig, Finding, RunEvent, TrackedMetric, TrackedTable, Tracker
from pydantic import Field

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter  # type: ignore[import-untyped]

_LONGEST_LIST = 20


class TensorBoardTracker(Tracker):
    """Mirrors metrics, configs, tables and context to event files for TensorBoard."""

    class Config(ComponentConfig):
        """What a `tracker` key says beside its type."""

        log_dir: str | None = None
        """The folder that TensorBoard is pointed to; `tensorboard` in the work_dir, that of the sweep for its trials."""
        flush_secs: int = Field(default=10, ge=1)
        """Seconds after which what was measured is written to disk at the latest."""

    def check(self) -> Iterable[Finding]:
        """Find a log_dir that can be no folder."""
        given = Path(self.config.log_dir or ".")
        taken = next((path for path in (given, *given.parents) if path.exists() and not path.is_dir()), None)
        if taken is not None:
            yield Finding(("log_dir",), f"'{taken}' is a file, but log_dir must be a folder, or one to be made", "name another")

    def start(self, run: RunEvent) -> None:
        """Open a folder of the run's own."""
        whole = Path(self.config.log_dir or run.home / "tensorboard")
        whole.mkdir(parents=True, exist_ok=True)
        names = (run.run_id if number == 1 else f"{run.run_id}_{number}" for number in count(1))
        self._folder = next(whole / name for name in names if _is_made(whole / name))
        self._writers: dict[int, SummaryWriter] = {}
        self._counts: Counter[str] = Counter()
        self._outputs: dict[tuple[str, int], float] = {}
        self._context: Mapping[str, Any] = {}
        self._values = dict(run.values)
        self._writer()
        self.tell(f"TensorBoard: tensorboard --logdir {shlex.quote(str(whole))}")

    def log_metric(self, metric: TrackedMetric) -> None:
        """Write a number as a scalar and anything else as a text.

        What has no step is counted. The steps of further iterations have a folder each, because they begin anew.
        """
        tag = metric.name.replace(".", "/", 1)
        writer, step = self._writer(metric.iteration), metric.step
        if step is None:
            self._counts[tag] += 1
            writer, step = self._writer(), self._counts[tag]
        if isinstance(metric.value, (int, float)):
            writer.add_scalar(tag, float(metric.value), step)
        elif metric.value is not None:
            writer.add_text(tag, metric.value if isinstance(metric.value, str) else json.dumps(metric.value), step)

    def log_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Write a config as a text."""
        self._writer().add_text(f"config/{name}", _code(config))

    def log_table(self, table: TrackedTable) -> None:
        """Write a table as one of Markdown."""
        lines = [table.columns, ["---"] * len(table.columns), *table.rows]
        text = "\n".join(f"| {' | '.join(map(_cell, cells))} |" for cells in lines)
        self._writer().add_text(f"tables/{table.title}", "\n\n".join([text, *table.notes]), table.iteration)

    def log_context(self, context: Mapping[str, Any], iteration: int) -> None:
        """Write the numbers among the outputs of jobs as scalars over the iterations."""
        self._context = context
        for name, value in outputs(context):
            if self._outputs.get((name, iteration)) != value:
                self._outputs[name, iteration] = value
                self._writer().add_scalar(f"context/{name}", value, iteration)

    def finish(self, status: str) -> None:
        """Write the whole context, for a trial its parameters beside what it gave, and close the files."""
        self._writer().add_text("context/whole", _code(self._context))
        if self._values:
            numbers = {f"context/{name}": value for name, value in outputs(self._context)}
            plain = {
                name: value if isinstance(value, (int, float, str)) else json.dumps(value)
                for name, value in self._values.items()
            }
            self._writer().add_hparams(plain, numbers, name="parameters")
        for writer in self._writers.values():
            writer.close()

    def _writer(self, iteration: int = 1) -> SummaryWriter:
        """Where the steps of an iteration are written to."""
        from tensorboardX import SummaryWriter  # noqa: PLC0415

        if iteration not in self._writers:
            folder = self._folder if iteration == 1 else self._folder / f"iter_{iteration}"
            self._writers[iteration] = SummaryWriter(logdir=str(folder), flush_secs=self.config.flush_secs)
        return self._writers[iteration]


def _is_made(folder: Path) -> bool:
    """Whether a folder could be made, which nobody else has then."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def outputs(context: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers in a context, as `pipeline.meta_name.output`."""
    for pipeline, jobs in context.items():
        for index, job in enumerate(jobs):
            for name, value in job.items():
                if name != "meta_name":
                    yield from _numbers(f"{pipeline}.{job.get('meta_name') or index}.{name}", value)


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """The numbers in `value`; those of long lists are left out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(f"{name}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value if len(value) <= _LONGEST_LIST else ()):
            yield from _numbers(f"{name}.{index}", item)
    elif isinstance(value, (int, float)):
        yield name, float(value)


def _code(data: Mapping[str, Any]) -> str:
    """`data` as JSON, which Markdown leaves as it is."""
    return "\n".join(f"    {line}" for line in json.dumps(data, indent=2, ensure_ascii=False).splitlines())


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\n", " ")
