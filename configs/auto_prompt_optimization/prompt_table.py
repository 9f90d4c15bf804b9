"""What people want to see of an iteration: its prompts, best first, with how well they grade."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import BaseProbe, ComponentConfig, InputPaths
from djsandbox.errors import ComponentError


class PromptTable(BaseProbe):
    """Shows the prompts of an iteration in a table, best first."""

    deterministic = True

    class Config(ComponentConfig):
        """The prompts, and what was measured with each."""

        dataset_path: InputPaths
        """A data pool with one prompt each."""
        metrics: list[Any]
        """What was measured with each, in the same order: a mapping with `mse` and `format_error`."""
        prompt_key: str = "prompt"
        """Key of the prompt in a row."""

    def run(self) -> str:
        """Return the best prompt."""
        measured = [
            (metrics, self._prompt(path)) for path, metrics in zip(self.config.dataset_path, self.config.metrics, strict=True)
        ]
        measured.sort(key=lambda one: _order(one[0]))
        start = _common_start([prompt for _, prompt in measured])
        rows = [(one["mse"], one["format_error"], f"... {prompt[len(start) :].strip()}") for one, prompt in measured]
        title = f"Prompts of iteration {self.context.iteration}, best first"
        notes = [f"all begin with: {start.strip()}"] if start else []
        self.watcher.watch_table(title, ("mse", "format errors", "prompt"), rows, notes)
        return measured[0][1]

    def _prompt(self, path: str) -> str:
        first = Path(path).read_text(encoding="utf-8").splitlines()[0]
        try:
            return str(json.loads(first)[self.config.prompt_key])
        except KeyError:
            raise ComponentError(f"a row of {path} has no '{self.config.prompt_key}'", fix="set 'prompt_key'") from None


def _common_start(prompts: Sequence[str]) -> str:
    """What all prompts begin with, up to the end of a sentence."""
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*prompts, strict=False))
    start = "".join(letters[0] for letters in alike)
    return start if start in prompts else start[: start.rfind(". ") + 1]


def _order(metrics: Mapping[str, Any]) -> tuple[float, float]:
    return metrics["mse"], metrics["format_error"]
