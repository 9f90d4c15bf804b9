"""What comes out of an evaluation: numbers, a table, and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from djsandbox_vbench.dimensions import DIMENSIONS, Missing, Totals, totals
from djsandbox_vbench.results import DimensionResult

Table = tuple[str, list[str], list[list[Any]], list[str]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The raw scores of the dimensions measured, their mean, and the leaderboard's scores."""

    scores: Mapping[str, float]
    mean: float
    leaderboard: Totals

    def totals(self) -> dict[str, float]:
        """The scores of the whole, those that there are, by name."""
        return {name: value for name, value in self.outputs().items() if isinstance(value, float)}

    def outputs(self) -> dict[str, Any]:
        """All that a job may give and that is no file, by name."""
        return {
            "mean_score": self.mean,
            "quality_score": self.leaderboard.quality,
            "semantic_score": self.leaderboard.semantic,
            "total_score": self.leaderboard.total,
            "dimension_scores": dict(self.scores),
        }


def evaluation(results: Sequence[DimensionResult], missing: Missing) -> Evaluation:
    """The evaluation as a whole, from those of its dimensions."""
    scores = {result.dimension: result.score for result in results}
    return Evaluation(scores, sum(scores.values()) / len(scores), totals(scores, missing))


def metrics_of(result: DimensionResult) -> dict[str, float]:
    """What of a dimension is a metric."""
    normalized = DIMENSIONS[result.dimension].normalized(result.score)
    counts = {"videos": len(result.videos), "missing_videos": result.missing}
    return {"score": result.score, "normalized": normalized, **counts}


def write(whole: Evaluation, results: Sequence[DimensionResult], folder: Path, name: str) -> dict[str, str]:
    """Write `<name>_merged_results.json` and `<name>_videos.jsonl` to `folder`; their paths by the names of outputs."""
    merged, videos = folder / f"{name}_merged_results.json", folder / f"{name}_videos.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "mean_score": whole.mean,
        "detail": dict(whole.scores),
        **{key: value for key, value in whole.outputs().items() if key in ("quality_score", "semantic_score", "total_score")},
        "is_complete": whole.leaderboard.is_complete,
        "dimensions": {result.dimension: {**metrics_of(result), "file": str(result.file)} for result in results},
    }
    merged.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    with videos.open("w", encoding="utf-8") as lines:
        for result in results:
            for video in result.videos:
                row = {"dimension": result.dimension, "video_path": video.video, "score": video.score, "vbench": video.details}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {"results_path": str(merged), "video_scores_path": str(videos)}


def table(whole: Evaluation, results: Sequence[DimensionResult], name: str) -> Table:
    """Title, columns, rows and notes of the table for people."""
    rows: list[list[Any]] = []
    for result in results:
        metrics = metrics_of(result)
        side = DIMENSIONS[result.dimension].side
        rows.append([result.dimension, side, _shown(result.score), _shown(metrics["normalized"]), len(result.videos)])
    board = whole.leaderboard
    for label, value in (("quality", board.quality), ("semantic", board.semantic), ("total", board.total)):
        if value is not None:
            rows.append([f"{label} score", "", "", _shown(value), ""])
    rows.append(["mean of the raw scores", "", _shown(whole.mean), "", ""])
    return f"VBench: {name}", ["dimension", "side", "score", "normalized", "videos"], rows, _notes(whole, results)


def _notes(whole: Evaluation, results: Sequence[DimensionResult]) -> list[str]:
    notes = []
    if not whole.leaderboard.is_complete:
        scope = f"{len(whole.scores)} of {len(DIMENSIONS)} dimensions"
        notes.append(f"Over {scope}: quality, semantic and total score are not comparable with the leaderboard's.")
    missing = sum(result.missing for result in results)
    if missing:
        notes.append(f"{missing} videos that the prompt list wants were missing: the scores are of the others.")
    return notes


def _shown(value: float) -> str:
    return f"{value:.4f}"
