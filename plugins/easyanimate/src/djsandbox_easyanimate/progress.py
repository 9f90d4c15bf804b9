"""The metrics in the lines that a training prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isnan

_TOTAL = re.compile(r"(Num Epochs|Total optimization steps) = (\d+)")
_STEP = re.compile(r"Steps:.*\|\s*(?P<step>\d+)/(?P<total>\d+) \[(?P<rest>.*)\]")
_PAIR = re.compile(r"(lr|step_loss)=([^,\s\]]+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Progress:
    """What has been seen of one training."""

    epochs: int = 0
    last_loss: float | None = None

    def read(self, line: str) -> tuple[int, dict[str, float]] | None:
        """The step and its metrics; None where the line has none."""
        line = _COLOUR.sub("", line)
        found = _TOTAL.search(line)
        if found and found[1] == "Num Epochs":
            self.epochs = int(found[2])
        bar = _STEP.search(line)
        metrics = {name: float(value) for name, value in _PAIR.findall(bar["rest"])} if bar else {}
        if not bar or not metrics:
            return None
        self.last_loss = metrics.get("step_loss", self.last_loss)
        if self.epochs and int(bar["total"]):
            metrics["epoch"] = round(self.epochs * int(bar["step"]) / int(bar["total"]), 4)
        return int(bar["step"]), metrics

    @property
    def is_lost(self) -> bool:
        """Whether the loss was no number at the end: the weights are not, either."""
        return self.last_loss is not None and isnan(self.last_loss)
