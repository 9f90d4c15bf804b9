"""The reward of several trainings, side by side."""

from __future__ import annotations

from pathlib import Path

from djsandbox import BaseProbe, ComponentConfig, ComponentError, InputPaths


class CompareRewards(BaseProbe):
    """Compares the last value of a metric between the trainings of a job."""

    class Config(ComponentConfig):
        """Which trainings, and by what."""

        models: InputPaths
        """The models that were trained, a folder each."""
        trained_by: str
        """Meta name of the job that trained them."""
        metric: str
        """Name of the metric, as Trinity-RFT calls it."""

    def run(self) -> dict[str, float]:
        """The value of each training by the name of its data pool; the best comes first in the table."""
        recorded = self.watcher.query(self.config.trained_by) or {}
        values = {name: metrics[self.config.metric] for name, metrics in recorded.items() if self.config.metric in metrics}
        if len(values) != len(self.config.models):
            raise ComponentError(f"'{self.config.trained_by}' recorded {self.config.metric} for {len(values)} of its models")
        rows = [[name, f"{value:.3f}"] for name, value in sorted(values.items(), key=lambda item: -item[1])]
        self.watcher.watch_table(f"{self.config.metric} at the end of the training", ["data pool", "reward"], rows)
        self.watcher.watch(values)
        self.logger.info("the models: %s", ", ".join(str(Path(model)) for model in self.config.models))
        return values
