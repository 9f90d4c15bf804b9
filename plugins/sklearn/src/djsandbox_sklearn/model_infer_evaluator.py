"""The evaluator that asks a trained text classifier about each of some samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from djsandbox import BaseModelExecutor, ComponentConfig, InputPath
from djsandbox.errors import ComponentError
from pydantic import Field

from djsandbox_sklearn.rows import Row, labelled

if TYPE_CHECKING:
    from djsandbox_sklearn.linear_model import LinearTextModel


class SklearnTextFeedback(BaseModelExecutor):
    """Loss and confidence of a trained text classifier on each sample."""

    class Config(ComponentConfig):
        """Which model, and where text and label stand in a sample."""

        model_path: InputPath
        """Folder of a model that the `sklearn_text_classifier` trainer wrote."""
        text_key: str | None = Field(default=None, min_length=1)
        """Key of the text, dotted if nested; by default the one the model was trained with."""
        label_key: str | None = Field(default=None, min_length=1)
        """Key of the label, dotted if nested; by default the one the model was trained with."""

    deterministic = True
    libraries = ("scikit-learn", "numpy")

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        """One result for each of the samples in `run_obj`, in their order: `loss`, `confidence` and `predicted`.

        `confidence` is the probability of the sample's own label (mean over the model's seeds, 0 for a label it never saw),
        `loss` its negative logarithm in nats (of at least 1e-15), `predicted` the most probable label.
        """
        from djsandbox_sklearn.linear_model import LinearTextModel  # noqa: PLC0415 - heavy

        if run_type != "infer_on_data":
            raise ComponentError(
                f"the evaluator looks at samples, it cannot do '{run_type}'", fix="use it in a ProbeViaModelInferHook job"
            )
        return list(self._results(LinearTextModel.load(self.config.model_path), run_obj or ()))

    def data_connector(self, input_data: Sequence[Mapping[str, Any]], **kwargs: Any) -> list[Row]:
        """Samples as texts with labels; ComponentError for one that lacks either."""
        return [labelled(sample, line=number, **kwargs) for number, sample in enumerate(input_data, start=1)]

    def _results(self, model: LinearTextModel, samples: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        import numpy as np  # noqa: PLC0415 - heavy

        from djsandbox_sklearn.features import HASHING_BATCH, vectorizer_of  # noqa: PLC0415 - heavy
        from djsandbox_sklearn.training import MIN_PROBABILITY  # noqa: PLC0415 - heavy

        manifest = model.manifest
        keys = {
            "text_key": self.config.text_key or manifest.text_key,
            "label_key": self.config.label_key or manifest.label_key,
        }
        vectorizer = vectorizer_of(manifest.features)
        column_of = {label: column for column, label in enumerate(manifest.labels)}
        rows_of_all = self.data_connector(samples, **keys)
        for start in range(0, len(rows_of_all), HASHING_BATCH):
            rows = rows_of_all[start : start + HASHING_BATCH]
            vectors = vectorizer.transform([row.text for row in rows])
            probabilities = np.mean([model.probabilities(vectors, seed) for seed in range(len(manifest.seeds))], axis=0)
            for row, of_label in zip(rows, probabilities, strict=True):
                confidence = float(of_label[column_of[row.label]]) if row.label in column_of else 0.0
                yield {
                    "loss": -math.log(max(confidence, MIN_PROBABILITY)),
                    "confidence": confidence,
                    "predicted": manifest.labels[int(of_label.argmax())],
                }
