"""The model executor that trains linear text classifiers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from djsandbox import (
    DECIDED_AT_RUN,
    CommandConfig,
    CommandExecutor,
    InputPaths,
    OutputPath,
    Task,
    is_decided_at_run,
    unique_names,
)
from pydantic import Field, field_validator

from djsandbox_sklearn.spec import TRAINING_KEYS, FeatureSpec, TrainingOrder, read_manifest

_LOSS_LINE = re.compile(r"\[(?P<pool>.+)\] seed (?P<seed>-?\d+) epoch (?P<epoch>\d+) loss: (?P<loss>\S+)")


class SklearnTextClassifierTrainer(CommandExecutor):
    """Trains a linear text classifier on each data pool, in seconds on a CPU."""

    class Config(CommandConfig):
        """Data, model and training of `sklearn_text_classifier`."""

        train_dataset: InputPaths = Field(min_length=1)
        """One or several data pools (JSON lines); each trains a model of its own."""
        export_path: OutputPath
        """Folder of the models; each gets a folder in it, named after its pool."""
        text_key: str = "text"
        """Key of the text, dotted if nested."""
        label_key: str = "label"
        """Key of the label, dotted if nested."""
        epochs: int = Field(default=5, ge=1)
        """Passes over the rows."""
        batch_size: int = Field(default=1024, ge=1)
        """Rows handed to scikit-learn at once."""
        alpha: float = Field(default=1e-5, gt=0)
        """Weight of the L2 penalty."""
        learning_rate: float | None = Field(default=None, gt=0)
        """A constant step; left out: scikit-learn's decaying "optimal" schedule."""
        n_features: int = Field(default=2**16, ge=2, le=2**30)
        """Size of the hashed feature space."""
        ngram_range: tuple[int, int] = (1, 1)
        """Shortest and longest n-gram."""
        analyzer: Literal["word", "char", "char_wb"] = "word"
        """What n-grams are made of."""
        seed: int = 0
        """Seed of the order in which the rows are learned from."""
        seeds: list[int] | None = Field(default=None, min_length=1)
        """Several trainings of each pool, instead of `seed`: a comparison then sees how much of it is luck. By default one."""
        bootstrap: bool = False
        """Each seed draws its own sample of the pool, with replacement: a comparison then sees the luck of the rows, too."""

        @field_validator("seed", "seeds")
        @classmethod
        def _seeds_are_usable(cls, value: int | list[int] | None) -> int | list[int] | None:
            listed = value if isinstance(value, list) else [value or 0]
            if any(not 0 <= seed < 2**32 for seed in listed):
                raise ValueError("a seed is a whole number from 0 to 4294967295")
            if len(set(listed)) != len(listed):
                raise ValueError("the seeds must differ")
            return value

        @field_validator("ngram_range")
        @classmethod
        def _ngrams_are_ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
            FeatureSpec(ngram_range=value)
            return value

    deterministic = True
    libraries = ("scikit-learn", "numpy")
    workers = ("djsandbox_sklearn.train_pool",)

    def intermediate_metrics(self) -> tuple[str, ...]:
        """The loss of each pool and seed, once an epoch."""
        return ("*.seed_*.loss",)

    def planned_outputs(self) -> Any:
        """The folder of each model, where the data pools are known."""
        pools = self.config.train_dataset
        return DECIDED_AT_RUN if is_decided_at_run(pools) else [self._folder(name) for name in unique_names(pools)]

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One training a data pool, in the order of `train_dataset`."""
        pools = self.config.train_dataset
        for pool, name in zip(pools, unique_names(pools), strict=True):
            folder = self._folder(name)
            order = TrainingOrder(
                name=name,
                pool=pool,
                folder=folder,
                scratch=str(self.work_dir),
                features=self.config.model_dump(include=set(FeatureSpec.model_fields)),
                seeds=self.config.seeds or [self.config.seed],
                **self.config.model_dump(include={"text_key", "label_key", *TRAINING_KEYS}),
            )
            argv = (sys.executable, "-P", "-m", self.workers[0], order.model_dump_json())
            yield Task(name, argv, (folder,))

    def _folder(self, name: str) -> str:
        return str(Path(self.config.export_path) / name)

    def task_result(self, task: Task) -> str:
        """The model's folder, when its manifest can be read."""
        (folder,) = task.outputs
        read_manifest(folder)
        return folder

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """`[pool] seed 0 epoch 1 loss: 0.5` becomes the metric `<meta_name>.<pool>.seed_0.loss`."""
        found = _LOSS_LINE.search(line)
        if found:
            parts = [self.context.meta_name, found["pool"], f"seed_{found['seed']}", "loss"]
            self.watcher.watch(float(found["loss"]), ".".join(part for part in parts if part), step=int(found["epoch"]))
