"""The probe that sets what several data pools made of one model, or of several, beside a baseline."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from djsandbox import DECIDED_AT_RUN, BaseProbe, ComponentConfig, Finding, OutputPath, unique_names
from djsandbox.errors import ComponentError
from pydantic import BeforeValidator, Field

from djsandbox_internvl.caption_scores import AVERAGE, METRICS, OPTIONAL
from djsandbox_internvl.open_paths import is_open

BASELINE, CHANGE = "baseline", "change %"
_SHOWN = ("Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "SPICE", AVERAGE)
_WRITTEN = (*METRICS, *OPTIONAL, AVERAGE)
_IN_ORDER = "give the scores of each pool, in the order of dataset_path"
Scores = dict[str, float]


def _listed(value: object) -> object:
    return [value] if isinstance(value, (str, Mapping)) else value


Listed = Annotated[list[Scores], BeforeValidator(_listed)]


class COCOCaptionComparison(BaseProbe):
    """Tables of the scores that data pools have led to, beside a baseline, for one model or several."""

    class Config(ComponentConfig):
        """Which scores, of which data pools and models, and with what they are compared."""

        dataset_path: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
        """The data pools, in the order of the scores; only their names are used."""
        scores: dict[str, Listed] = Field(min_length=1)
        """Model -> its scores with each data pool, as the evaluation returns them."""
        baseline: dict[str, Annotated[Listed, Field(max_length=1)]] = Field(default_factory=dict)
        """Model -> its scores with the baseline; without any, nothing is said of changes."""
        metric: str = AVERAGE
        """The score that ranks the pools, and whose change against the baseline is told, in percent of the baseline's."""
        title: str = "Scores on COCO captions"
        """Heading of the tables."""
        export_path: OutputPath | None = None
        """CSV file with all scores, a line for each model and data pool."""

    deterministic = True

    def check(self) -> Iterable[Finding]:
        """Scores that do not match the data pools, and baselines of models that are not compared."""
        # What an earlier job will give is not there yet, and then the config is not whole.
        pools, scores, baseline = (getattr(self.config, key, None) for key in ("dataset_path", "scores", "baseline"))
        if not isinstance(scores, dict):
            return
        if isinstance(pools, list) and not any(is_open(str(pool)) for pool in pools):
            for model, listed in scores.items():
                if isinstance(listed, list) and len(listed) != len(pools):
                    yield Finding(("scores", model), _uneven(pools, listed, model), _IN_ORDER)
        for model in baseline if isinstance(baseline, dict) else ():
            if model not in scores:
                fix = f"scores has: {', '.join(scores)}"
                yield Finding(("baseline", model), f"there are no scores of {model} to compare the baseline with", fix)

    def planned_outputs(self) -> Any:
        """The rows are known when the scores are."""
        return DECIDED_AT_RUN

    def run(self) -> list[dict[str, Any]]:
        """Show a table for each model, and where there are several one of them all.

        Returns its lines: `{model, data_pool, rank, scores..., "change %"}`, model by model, best first.
        """
        lines = [line for model in self.config.scores for line in self._ranked(model)]
        for model in self.config.scores:
            self._show(model, [line for line in lines if line["model"] == model])
        if len(self.config.scores) > 1:
            self._show_models(lines)
        if self.config.export_path is not None:
            _write(Path(self.config.export_path), lines)
        return lines

    def _ranked(self, model: str) -> list[dict[str, Any]]:
        """The lines of a model, the baseline among them, best first; without a number, last."""
        config = self.config
        listed = config.scores[model]
        if len(listed) != len(config.dataset_path):
            raise ComponentError(_uneven(config.dataset_path, listed, model), fix=_IN_ORDER)
        names = unique_names(config.dataset_path)
        scored = [*((BASELINE, scores) for scores in config.baseline.get(model, ())), *zip(names, listed, strict=True)]
        for name, scores in scored:
            if config.metric not in scores:
                raise ComponentError(
                    f"the scores of {name} have no '{config.metric}'", fix=f"metric can be: {', '.join(scores) or 'nothing'}"
                )
        scored.sort(key=lambda one: -one[1][config.metric] if math.isfinite(one[1][config.metric]) else math.inf)
        base = next((scores[config.metric] for name, scores in scored if name == BASELINE), None)
        return [
            {"model": model, "data_pool": name, "rank": rank, **scores, CHANGE: _change(scores[config.metric], base)}
            for rank, (name, scores) in enumerate(scored, start=1)
        ]

    def _show(self, model: str, lines: list[dict[str, Any]]) -> None:
        wanted = dict.fromkeys((*_SHOWN, self.config.metric))
        columns = [name for name in wanted if any(name in line for line in lines)]
        columns += [CHANGE] if self.config.baseline.get(model) else []
        rows = [[line["rank"], *(line.get(name) for name in columns), line["data_pool"]] for line in lines]
        self.watcher.watch_table(f"{self.config.title}: {model}", ["rank", *columns, "data pool"], rows, self._notes(lines))

    def _notes(self, lines: list[dict[str, Any]]) -> list[str]:
        better = [line for line in lines if (line[CHANGE] or 0) > 0]
        if all(line[CHANGE] is None for line in lines):
            return []
        pools = sum(line["data_pool"] != BASELINE for line in lines)
        return [f"{len(better)} of {pools} data pools are better than the baseline by {self.config.metric}"]

    def _show_models(self, lines: list[dict[str, Any]]) -> None:
        """One line a data pool, with the deciding score of each model and its change, in the order of the first model."""
        by_place = {(line["model"], line["data_pool"]): line for line in lines}
        pools = list(dict.fromkeys(line["data_pool"] for line in lines))
        columns, wanted = [], []
        for model in self.config.scores:
            kinds = [self.config.metric, *([CHANGE] if self.config.baseline.get(model) else [])]
            wanted += [(model, kind) for kind in kinds]
            columns += [f"{model} {kind}" for kind in kinds]
        rows = [[*(by_place.get((model, pool), {}).get(kind) for model, kind in wanted), pool] for pool in pools]
        self.watcher.watch_table(f"{self.config.title}: all models", [*columns, "data pool"], rows)


def _uneven(pools: list[str], listed: list[Any], model: str) -> str:
    return f"{len(pools)} data pools but {len(listed)} {'score' if len(listed) == 1 else 'scores'} of {model}"


def _change(score: float, base: float | None) -> float | None:
    """By how much `score` is above `base`, in percent of it; None where that cannot be said."""
    if base is None or not base or not math.isfinite(base) or not math.isfinite(score):
        return None
    return round(100 * (score - base) / base, 2)


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(_columns(lines)))
        writer.writeheader()
        writer.writerows(lines)
    part.replace(path)


def _columns(lines: list[dict[str, Any]]) -> Iterator[str]:
    there = dict.fromkeys(name for line in lines for name in line)
    first = ("model", "data_pool", "rank", *_WRITTEN)
    yield from (name for name in first if name in there)
    yield from (name for name in there if name not in first)
