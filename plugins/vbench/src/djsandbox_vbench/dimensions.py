"""The sixteen dimensions of VBench, and the leaderboard's scores made of them.

The ranges and weights are those of VBench's own `scripts/constant.py`, and the sums those of its `scripts/cal_final_score.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["quality", "semantic"]

_SIDE_WEIGHTS: Mapping[Side, float] = {"quality": 4.0, "semantic": 1.0}


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its score lies about between `least` and `most`, which the leaderboard takes for 0 and 1.

    `weight` is its share in its side. `works_by_prompt`: its work is shared out among GPUs by prompts instead of videos.
    """

    name: str
    side: Side
    least: float = 0.0
    most: float = 1.0
    weight: float = 1.0
    works_by_prompt: bool = False
    needs_detectron2: bool = False
    needs_prompt_info: bool = False
    """It needs what only a prompt list says (`auxiliary_info`), and so is not there for videos of one's own."""

    def normalized(self, score: float) -> float:
        """The score on the leaderboard's scale; below 0 or above 1 where it lies outside of the usual range."""
        return (score - self.least) / (self.most - self.least)


DIMENSIONS: Mapping[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        Dimension("subject_consistency", "quality", 0.1462, 1.0),
        Dimension("background_consistency", "quality", 0.2615, 1.0),
        Dimension("temporal_flickering", "quality", 0.6293, 1.0),
        Dimension("motion_smoothness", "quality", 0.706, 0.9975),
        Dimension("dynamic_degree", "quality", weight=0.5),
        Dimension("aesthetic_quality", "quality"),
        Dimension("imaging_quality", "quality"),
        Dimension("object_class", "semantic", works_by_prompt=True, needs_detectron2=True, needs_prompt_info=True),
        Dimension("multiple_objects", "semantic", works_by_prompt=True, needs_detectron2=True, needs_prompt_info=True),
        Dimension("human_action", "semantic"),
        Dimension("color", "semantic", works_by_prompt=True, needs_detectron2=True, needs_prompt_info=True),
        Dimension("spatial_relationship", "semantic", works_by_prompt=True, needs_detectron2=True, needs_prompt_info=True),
        Dimension("scene", "semantic", 0.0, 0.8222, works_by_prompt=True, needs_prompt_info=True),
        Dimension("appearance_style", "semantic", 0.0009, 0.2855, works_by_prompt=True, needs_prompt_info=True),
        Dimension("temporal_style", "semantic", 0.0, 0.364, works_by_prompt=True),
        Dimension("overall_consistency", "semantic", 0.0, 0.364, works_by_prompt=True),
    )
}
"""All dimensions, by name, in the order of the leaderboard."""

Missing = Literal["leave_out", "zero"]


@dataclass(frozen=True, slots=True)
class Totals:
    """The leaderboard's scores; None for a side of which no dimension was measured. `is_complete`: all sixteen were."""

    quality: float | None
    semantic: float | None
    total: float
    is_complete: bool


def totals(scores: Mapping[str, float], missing: Missing = "leave_out") -> Totals:
    """Quality, semantic and total score of the measured `scores` (at least one), as the leaderboard has them.

    Each side is the mean of its normalised dimensions by their weights, the total that of the sides by 4 (quality) and 1. With
    `leave_out` dimensions and sides that were not measured have no part in it; with `zero` a dimension that was not measured
    has the raw score 0, as in VBench's own script, which for some dimensions is far below 0 when normalised. Both are the
    same where all sixteen were measured.
    """
    is_complete = set(scores) == set(DIMENSIONS)
    counted = dict.fromkeys(DIMENSIONS, 0.0) | dict(scores) if missing == "zero" else dict(scores)
    sides = {side: _side(counted, side) for side in _SIDE_WEIGHTS}
    measured = {side: score for side, score in sides.items() if score is not None}
    weight = sum(_SIDE_WEIGHTS[side] for side in measured)
    total = sum(score * _SIDE_WEIGHTS[side] for side, score in measured.items()) / weight
    return Totals(sides["quality"], sides["semantic"], total, is_complete)


def _side(scores: Mapping[str, float], side: Side) -> float | None:
    counted = [DIMENSIONS[name] for name in scores if DIMENSIONS[name].side == side]
    if not counted:
        return None
    return sum(one.normalized(scores[one.name]) * one.weight for one in counted) / sum(one.weight for one in counted)
