"""The model executor that trains linear text classifiers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from djsandbox import BaseModelExecutor, ComponentConfig, InputPaths, OutputPath
from djsandbox.errors import ComponentError, Position
from pydantic import Field, field_validator

from djsandbox_sklearn.pool_names import unique_names
from djsandbox_sklearn.rows import read_rows
from djsandbox_sklearn.scratch import scratch_folder
from djsandbox_sklearn.spec import FeatureSpec, Manifest

if TYPE_CHECKING:
    from djsandbox_sklearn.features import HashedRows

_LOSS_LINE = re.compile(r"\[(?P<pool>.+)\] seed (?P<seed>-?\d+) epoch (?P<epoch>\d+) loss: (?P<loss>\S+)")


class SklearnTextClassifierTrainer(BaseModelExecutor):
    """Trains a linear text classifier on each data pool, in seconds on a CPU."""

    class Config(ComponentConfig):
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

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> list[str]:
        """Train on each pool; returns the model folders, one per pool, in the order of `train_dataset`."""
        pools = self.config.train_dataset
        folders = []
        for pool, name in zip(pools, unique_names(pools), strict=True):
            folder = Path(self.config.export_path) / name
            self._train_pool(pool, name, folder)
            folders.append(str(folder))
        return folders

    def _train_pool(self, pool: str, name: str, folder: Path) -> None:
        from djsandbox_sklearn.training import TrainingSettings, train  # noqa: PLC0415 - heavy

        config = self.config
        spec = FeatureSpec(n_features=config.n_features, ngram_range=config.ngram_range, analyzer=config.analyzer)
        with scratch_folder(self.work_dir) as scratch:
            rows = self.data_connector(pool, spec=spec, scratch=scratch)
            if not len(rows):
                raise ComponentError("the data pool has no rows to train on", where=Position(pool))
            if len(rows.labels) == 1:
                self.logger.warning("all rows of %s have the label '%s': the model will know no other", pool, rows.labels[0])
            settings = TrainingSettings(config.epochs, config.batch_size, config.alpha, config.learning_rate, config.bootstrap)

            def on_epoch(seed: int, epoch: int, loss: float) -> None:
                sys.stdout.write(f"[{name}] seed {seed} epoch {epoch} loss: {loss:.6f}\n")

            model = train(rows, settings, self._manifest(name, spec, rows), on_epoch)
        model.save(folder)

    def _manifest(self, name: str, spec: FeatureSpec, rows: HashedRows) -> Manifest:
        config = self.config
        return Manifest(
            name=name,
            text_key=config.text_key,
            label_key=config.label_key,
            features=spec,
            labels=rows.labels,
            seeds=config.seeds or [config.seed],
            num_train_samples=len(rows),
            training=config.model_dump(include={"epochs", "batch_size", "alpha", "learning_rate", "bootstrap"}),
        )

    def data_connector(self, input_data: Any, **kwargs: Any) -> HashedRows:
        """A pool (JSON lines) as hashed vectors below the folder `scratch`, streamed."""
        from djsandbox_sklearn.features import HashedRows  # noqa: PLC0415 - heavy

        rows = read_rows(input_data, text_key=self.config.text_key, label_key=self.config.label_key)
        return HashedRows(rows, kwargs["spec"], kwargs["scratch"])

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """`[pool] seed 0 epoch 1 loss: 0.5` becomes the metric `<meta_name>.<pool>.seed_0.loss`."""
        found = _LOSS_LINE.search(line)
        if found:
            parts = [self.context.meta_name, found["pool"], f"seed_{found['seed']}", "loss"]
            self.watcher.watch(float(found["loss"]), ".".join(part for part in parts if part), step=int(found["epoch"]))
