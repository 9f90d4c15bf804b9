"""The model evaluator for linear text classifiers."""

from __future__ import annotations

from typing import Any

from djsandbox import DECIDED_AT_RUN, BaseEvaluator, ComponentConfig, InputPath, InputPaths, is_decided_at_run
from pydantic import Field

from djsandbox_sklearn.spec import METRICS


class SklearnTextClassifierEvaluator(BaseEvaluator):
    """Accuracy, macro-F1 and log-loss of trained text classifiers on a held-out set."""

    class Config(ComponentConfig):
        """Which models on which data."""

        model_path: InputPaths = Field(min_length=1)
        """Folders of models that the `sklearn_text_classifier` trainer wrote."""
        dataset_path: InputPath
        """The held-out set (JSON lines); text and label stand under the keys the model was trained with."""

    deterministic = True
    libraries = ("scikit-learn", "numpy")

    def planned_outputs(self) -> Any:
        """What is in each result, where the models are known."""
        if is_decided_at_run(self.config.model_path):
            return DECIDED_AT_RUN
        measured = dict.fromkeys(("name", *METRICS, "num_samples", "num_train_samples"), DECIDED_AT_RUN)
        per_seed = dict.fromkeys(METRICS, DECIDED_AT_RUN)
        return [{**measured, "model_path": path, "per_seed": per_seed} for path in self.config.model_path]

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        """One result per model, in the order of `model_path`.

        Each has `name`, `model_path`, `accuracy`, `macro_f1`, `log_loss` (nats; means over the model's seeds), `per_seed`
        (metric -> list), `num_samples` and `num_train_samples`. A label that a model never saw counts as wrong.
        """
        from djsandbox_sklearn.linear_model import LinearTextModel  # noqa: PLC0415 - heavy
        from djsandbox_sklearn.scoring import labelled_set, metrics_of  # noqa: PLC0415 - heavy

        results = []
        with labelled_set(self.config.dataset_path, self.work_dir) as dataset:
            for path in self.config.model_path:
                model = LinearTextModel.load(path)
                scores = [metrics_of(dataset.codes, predictions) for predictions in dataset.predictions(model)]
                result: dict[str, Any] = {
                    "name": model.manifest.name,
                    "model_path": path,
                    **{metric: sum(score[metric] for score in scores) / len(scores) for metric in METRICS},
                    "per_seed": {metric: [score[metric] for score in scores] for metric in METRICS},
                    "num_samples": len(dataset.codes),
                    "num_train_samples": model.manifest.num_train_samples,
                }
                self.watcher.watch({model.manifest.name: {metric: result[metric] for metric in METRICS}})
                results.append(result)
        return results
