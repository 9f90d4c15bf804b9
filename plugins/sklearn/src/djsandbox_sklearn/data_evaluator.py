"""The data evaluator that asks a trained text classifier what it thinks of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from djsandbox import BaseEvaluator, ComponentConfig, InputPath
from djsandbox.errors import ComponentError, Position

from djsandbox_sklearn.rows import Row, read_rows

if TYPE_CHECKING:
    import numpy as np

    from djsandbox_sklearn.linear_model import LinearTextModel

QUANTILES = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}


class SklearnTextQualityEvaluator(BaseEvaluator):
    """Mean quality score of a dataset under a trained text classifier."""

    class Config(ComponentConfig):
        """Which dataset under which model."""

        model_path: InputPath
        """Folder of a model that the `sklearn_text_classifier` trainer wrote."""
        dataset_path: InputPath
        """The dataset (JSON lines); text and label stand under the keys the model was trained with."""
        positive_label: str | None = None
        """The label that stands for good text; it scores the rows that have no label of their own."""

    deterministic = True
    libraries = ("scikit-learn", "numpy")

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> float:
        """The mean over the rows of P(its label | text), or of P(positive_label | text) where a row has no label.

        Probabilities are means over the model's seeds; a label that the model never saw has probability 0. Mean, standard
        deviation and quantiles of the scores go to the watcher as `<meta_name>.distribution`.
        """
        import numpy as np  # noqa: PLC0415 - heavy

        from djsandbox_sklearn.linear_model import LinearTextModel  # noqa: PLC0415 - heavy

        model = LinearTextModel.load(self.config.model_path)
        positive = self.config.positive_label
        if positive is not None and positive not in model.manifest.labels:
            known = ", ".join(model.manifest.labels[:20])
            raise ComponentError(f"the model does not know the positive_label '{positive}'", fix=f"it knows: {known}")
        scores = np.array(list(self._scores(model)))
        if not len(scores):
            raise ComponentError("the dataset has no rows to evaluate", where=Position(self.config.dataset_path))
        mean = float(scores.mean())
        distribution = {name: float(np.quantile(scores, share)) for name, share in QUANTILES.items()}
        name = ".".join(part for part in (self.context.meta_name, "distribution") if part)
        self.watcher.watch({"mean": mean, "std": float(scores.std()), "num_samples": len(scores), **distribution}, name)
        return mean

    def _scores(self, model: LinearTextModel) -> Iterator[float]:
        from djsandbox_sklearn.features import HASHING_BATCH, vectorizer_of  # noqa: PLC0415 - heavy

        manifest = model.manifest
        vectorizer = vectorizer_of(manifest.features)
        column_of = {label: column for column, label in enumerate(manifest.labels)}
        rows = read_rows(
            self.config.dataset_path, text_key=manifest.text_key, label_key=manifest.label_key, label_required=False
        )
        while batch := list(islice(rows, HASHING_BATCH)):
            vectors = vectorizer.transform([row.text for row in batch])
            by_seed = [model.probabilities(vectors, index) for index in range(len(manifest.seeds))]
            for row, *of_seeds in zip(batch, *by_seed, strict=True):
                yield self._score(row, sum(of_seeds[1:], of_seeds[0]) / len(of_seeds), column_of)

    def _score(self, row: Row, probabilities: np.ndarray, column_of: dict[str, int]) -> float:
        label = row.label if row.label is not None else self.config.positive_label
        if label is None:
            raise ComponentError(
                "the row has no label",
                where=Position(self.config.dataset_path, row.line),
                fix="set positive_label to the label that stands for good text",
            )
        return float(probabilities[column_of[label]]) if label in column_of else 0.0
