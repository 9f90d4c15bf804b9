"""What the tests of the scikit-learn plugin share: small pools of two clearly different kinds of text."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError, JobContext, Task
from djsandbox_sklearn import train_pool
from djsandbox_sklearn.trainer import SklearnTextClassifierTrainer

VOCABULARY = {
    "bread": ["flour", "yeast", "oven", "crust", "dough", "knead", "salt", "bake"],
    "sails": ["mast", "wind", "harbour", "anchor", "deck", "rope", "tide", "keel"],
    "stars": ["orbit", "comet", "nebula", "lens", "galaxy", "dust", "moon", "ray"],
}
COMMON = ["the", "a", "of", "and", "with", "some", "more", "less", "old", "new"]


@dataclass
class RecordingWatcher:
    """Keeps what it is told, as the engine's watcher would."""

    metrics: list[tuple[str, Any, int | None]] = field(default_factory=list)
    tables: list[tuple[str, list[str], list[list[Any]], list[str]]] = field(default_factory=list)

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        self.metrics.append((meta_name, res, step))

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        self.tables.append((title, list(columns), [list(row) for row in rows], list(notes)))

    def query(self, meta_name: str) -> Any:
        return None


def _sentences(count: int, seed: int, *, labels: Sequence[str] = tuple(VOCABULARY), num_clear: int = 3) -> list[dict[str, str]]:
    """`count` labelled texts, of which only `num_clear` words tell the label."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        label = chance.choice(list(labels))
        words = chance.choices(VOCABULARY[label], k=num_clear) + chance.choices(COMMON, k=5)
        chance.shuffle(words)
        rows.append({"text": " ".join(words), "label": label})
    return rows


@pytest.fixture
def sentences() -> Callable[..., list[dict[str, str]]]:
    """The maker of labelled texts."""
    return _sentences


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes rows as JSON lines below the test's folder; returns the path."""

    def write_rows(name: str, rows: Iterable[Any]) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return str(path)

    return write_rows


@pytest.fixture
def watcher() -> RecordingWatcher:
    """A watcher to look into."""
    return RecordingWatcher()


class InThisProcess:
    """Runs the worker of each task here: starting Python and importing scikit-learn for every model would take too long."""

    def __init__(self, context: JobContext) -> None:
        self.context = context

    def run(self, tasks: Iterable[Task], begin: Callable[[Task, JobContext], Any], policy: Any) -> list[Any]:
        return [self._result(task, begin(task, self.context)) for task in tasks]

    @staticmethod
    def _result(task: Task, work: Any) -> Any:
        _python, _safe_path, _dash_m, module, *arguments = task.argv
        assert module == train_pool.__name__
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exit_code = train_pool.main(arguments)
        if exit_code:
            raise ComponentError(printed.getvalue())
        for line in printed.getvalue().splitlines():
            work.on_line(line)
        return work.read()


def _trained(tmp_path: Path, watcher: RecordingWatcher, apart: bool, pools: Any, folder: str, settings: Any) -> list[str]:
    values = {"n_features": 256, "epochs": 3, "train_dataset": pools, "export_path": str(tmp_path / folder), **settings}
    trainer = SklearnTextClassifierTrainer(SklearnTextClassifierTrainer.Config.model_validate(values))
    context = JobContext(meta_name="train", watcher=watcher)
    trainer.attach(context if apart else replace(context, tasks=InThisProcess(context)))
    result: list[str] = asyncio.run(trainer.run("train"))
    return result


@pytest.fixture
def train(tmp_path: Path, watcher: RecordingWatcher) -> Callable[..., list[str]]:
    """Trains in this process; returns the model folders."""

    def run(pools: str | list[str], folder: str = "models", **settings: Any) -> list[str]:
        return _trained(tmp_path, watcher, False, pools, folder, settings)

    return run


@pytest.fixture
def train_apart(tmp_path: Path, watcher: RecordingWatcher) -> Callable[..., list[str]]:
    """Trains in processes of their own, as a run does; returns the model folders."""

    def run(pools: str | list[str], folder: str = "models", **settings: Any) -> list[str]:
        return _trained(tmp_path, watcher, True, pools, folder, settings)

    return run
