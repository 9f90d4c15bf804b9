"""How much data next time: a component of this example."""

from __future__ import annotations

from typing import Any

from djsandbox import BaseProbe, ComponentConfig


class Double(BaseProbe):
    """Twice as many samples as this time, and the accuracy they are to improve.

    Returns (mean accuracy of the evaluated models, number of samples for the next iteration).
    """

    deterministic = True

    class Config(ComponentConfig):
        """Keys of the component."""

        results: list[dict[str, Any]]
        """What the model evaluator said, one mapping for each model."""

    def run(self) -> tuple[float, int]:
        """Look at the results; asks for twice the samples of the smallest training set."""
        results = self.config.results
        accuracy = sum(result["accuracy"] for result in results) / len(results)
        samples = min(result["num_train_samples"] for result in results)
        self.watcher.watch_table("This iteration", ["samples", "accuracy"], [[samples, accuracy]])
        return accuracy, 2 * samples
