"""The probe that says which data made the better model, and which difference is only noise."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from djsandbox import DECIDED_AT_RUN, BaseProbe, ComponentConfig, Finding, InputPath, InputPaths, is_decided_at_run
from djsandbox.errors import ComponentError
from pydantic import Field

from djsandbox_sklearn.spec import LOWER_IS_BETTER, Manifest, Metric

if TYPE_CHECKING:
    from djsandbox_sklearn.resampling import Interval
    from djsandbox_sklearn.scoring import Predictions

_ROW = (
    *("name", "model_path", "num_train_samples", "metric", "value", "baseline_value"),
    *("difference", "interval_low", "interval_high", "verdict"),
)
_READABLE = {"accuracy": "accuracy", "macro_f1": "macro-F1", "log_loss": "log-loss"}


class PairedBootstrapResampling(BaseProbe):
    """Says of each model whether it is better than a baseline, worse, or different only by noise."""

    class Config(ComponentConfig):
        """What to compare with what."""

        model_paths: InputPaths = Field(min_length=1)
        """Folders of models that the `sklearn_text_classifier` trainer wrote."""
        baseline_path: InputPath
        """The model the others are compared with."""
        dataset_path: InputPath
        """The held-out set (JSON lines)."""
        names: list[str] | None = None
        """What the table calls the models, parallel to `model_paths`; by default the names of their data pools."""
        baseline_name: str | None = None
        """What the table calls the baseline; by default the name of its data pool."""
        title: str | None = None
        """Heading of the table; by default it says what was measured, and on how many samples."""
        metric: Metric = "accuracy"
        """`accuracy`, `macro_f1` or `log_loss`."""
        num_resamples: int = Field(default=1000, ge=100)
        """How often the test samples are drawn again; more make the intervals steadier and take longer."""
        confidence: float = Field(default=0.95, gt=0.5, lt=1)
        """Probability with which the intervals hold, all of them together."""
        seed: int = Field(default=0, ge=0)
        """Seed of the draws."""

    deterministic = True
    libraries = ("scikit-learn", "numpy")

    def check(self) -> Iterable[Finding]:
        """`names` must be as many as `model_paths`, as far as those are known before the run."""
        config = self.config
        known = not any(path.startswith("<") for path in config.model_paths)
        if config.names is not None and known and len(config.names) != len(config.model_paths):
            yield Finding(("names",), self._wrong_names(), fix="give one name per model, or none at all")

    def planned_outputs(self) -> Any:
        """What is in each row, where the models are known; which model is in which only the run decides."""
        config = self.config
        if is_decided_at_run([config.model_paths, config.baseline_path]):
            return DECIDED_AT_RUN
        others = [path for path in config.model_paths if not _is_same_file(path, config.baseline_path)]
        return [{**dict.fromkeys(_ROW, DECIDED_AT_RUN), "metric": config.metric} for _ in range(len(others) + 1)]

    def run(self) -> list[dict[str, Any]]:
        """One row per model and one for the baseline, best first; the table of the same rows goes to the watcher.

        A row has `name`, `model_path`, `num_train_samples`, `metric`, `value` (mean over seeds), `baseline_value`,
        `difference`, `interval_low`, `interval_high` and `verdict`: better, worse, noise (the interval contains 0) or baseline.
        """
        from djsandbox_sklearn.linear_model import LinearTextModel  # noqa: PLC0415 - heavy
        from djsandbox_sklearn.scoring import labelled_set  # noqa: PLC0415 - heavy

        config = self.config
        if config.names is not None and len(config.names) != len(config.model_paths):
            raise ComponentError(self._wrong_names(), fix="give one name per model, or none at all")
        models = [LinearTextModel.load(path) for path in config.model_paths]
        baseline = LinearTextModel.load(config.baseline_path)
        with labelled_set(config.dataset_path, self.work_dir) as dataset:
            predictions = [dataset.predictions(model) for model in models]
            baseline_predictions = dataset.predictions(baseline)
            truth = dataset.codes
        values = [self._value(truth, side) for side in (baseline_predictions, *predictions)]
        spans = self._intervals(truth, values, predictions, baseline_predictions)
        rows = [self._row(baseline.manifest, config.baseline_path, config.baseline_name, values[0], values[0], None)]
        for index, (path, model) in enumerate(zip(config.model_paths, models, strict=True)):
            name = config.names[index] if config.names else None
            if not _is_same_file(path, config.baseline_path):
                rows.append(self._row(model.manifest, path, name, values[index + 1], values[0], spans[index]))
        sign = 1 if config.metric in LOWER_IS_BETTER else -1
        rows.sort(key=lambda row: sign * row["value"])
        self._publish(rows, len(truth), min(len(side) for side in (baseline_predictions, *predictions)))
        return rows

    def _value(self, truth: Any, side: Sequence[Predictions]) -> float:
        from djsandbox_sklearn.scoring import metrics_of  # noqa: PLC0415 - heavy

        return sum(metrics_of(truth, predictions)[self.config.metric] for predictions in side) / len(side)

    def _intervals(
        self, truth: Any, values: Sequence[float], models: Sequence[Sequence[Predictions]], baseline: Sequence[Predictions]
    ) -> list[Interval]:
        import numpy as np  # noqa: PLC0415 - heavy

        from djsandbox_sklearn.resampling import intervals, resampled_differences  # noqa: PLC0415 - heavy

        config = self.config
        resampled = resampled_differences(
            config.metric, truth, models, baseline, num_resamples=config.num_resamples, seed=config.seed
        )
        return intervals(np.array(values[1:]) - values[0], resampled, config.confidence)

    def _row(
        self, manifest: Manifest, path: str, name: str | None, value: float, baseline_value: float, span: Interval | None
    ) -> dict[str, Any]:
        return {
            "name": name or manifest.name,
            "model_path": path,
            "num_train_samples": manifest.num_train_samples,
            "metric": self.config.metric,
            "value": value,
            "baseline_value": baseline_value,
            "difference": value - baseline_value,
            "interval_low": span.low if span else 0.0,
            "interval_high": span.high if span else 0.0,
            "verdict": verdict(span, lower_is_better=self.config.metric in LOWER_IS_BETTER) if span else "baseline",
        }

    def _publish(self, rows: Sequence[dict[str, Any]], num_samples: int, num_seeds: int) -> None:
        config = self.config
        metric, percent = _READABLE[config.metric], f"{config.confidence:.0%}"
        baseline = next(row["name"] for row in rows if row["verdict"] == "baseline")
        self.watcher.watch({row["name"]: {config.metric: row["value"], "difference": row["difference"]} for row in rows})
        self.watcher.watch_table(
            config.title or f"Which data was better, measured by {metric} on {num_samples} held-out samples",
            ["trained on", "samples", metric, "vs. baseline", f"{percent} interval", "verdict"],
            [_cells(row) for row in rows],
            notes_for(config.metric, baseline, percent, num_samples, num_seeds),
        )

    def _wrong_names(self) -> str:
        return f"names has {len(self.config.names)} entries, model_paths {len(self.config.model_paths)}"


def verdict(span: Interval, *, lower_is_better: bool) -> str:
    """`noise` where the interval contains 0, else `better` or `worse` than the baseline."""
    if span.holds_zero:
        return "noise"
    return "better" if (span.high < 0) == lower_is_better else "worse"


def notes_for(metric: Metric, baseline: str, percent: str, num_samples: int, num_seeds: int) -> list[str]:
    """How to read the table, for someone who sees it for the first time."""
    direction = "lower is better" if metric in LOWER_IS_BETTER else "higher is better"
    luck = f"drawing the {num_samples} test samples again"
    if num_seeds > 1:
        luck += f" and choosing among the {num_seeds} trainings of each model"
    notes = [
        f"{_READABLE[metric]}: {direction}. Every model is compared with '{baseline}', the baseline.",
        f"The interval is where the difference lies with {percent} confidence (for all rows together), found by {luck}.",
        "noise: the interval contains 0, so this experiment cannot tell the difference from chance.",
    ]
    if num_seeds == 1:
        notes.append(
            "Some model was trained with one seed only, so the luck of its training is not in its interval; set `seeds`."
        )
    return notes


def _cells(row: dict[str, Any]) -> list[str]:
    is_baseline = row["verdict"] == "baseline"
    return [
        row["name"],
        str(row["num_train_samples"]),
        f"{row['value']:.3f}",
        "" if is_baseline else f"{row['difference']:+.3f}",
        "" if is_baseline else f"{row['interval_low']:+.3f} to {row['interval_high']:+.3f}",
        row["verdict"],
    ]


def _is_same_file(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
