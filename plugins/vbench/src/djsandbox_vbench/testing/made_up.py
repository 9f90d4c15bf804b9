"""Scores that a stand-in can give: made up of a video's bytes, always the same for the same, in the form of VBench's rows."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from djsandbox_vbench.dimensions import DIMENSIONS


def score_of(dimension: str, video: str) -> float:
    """A score of the video within the usual range of the dimension."""
    digest = hashlib.sha256(dimension.encode() + os.path.basename(video).encode() + Path(video).read_bytes()).digest()
    share = int.from_bytes(digest[:6]) / 2**48
    one = DIMENSIONS[dimension]
    score = one.least + share * (one.most - one.least)
    return float(score > 0.5) if dimension in ("human_action", "dynamic_degree") else score


def row_of(dimension: str, video: str) -> dict[str, Any]:
    """What VBench writes of one video, with the entries that only some dimensions have."""
    score = score_of(dimension, video)
    frames = 16
    extras: dict[str, dict[str, Any]] = {
        "background_consistency": {"video_sim": score * frames, "cnt_per_video": frames},
        "object_class": {"success_frame_count": round(score * frames), "frame_count": frames},
        "multiple_objects": {"success_frame_count": round(score * frames), "frame_count": frames},
        "appearance_style": {"frame_results": [score] * frames, "cur_sim": score},
        "color": {"cur_success_frame_rate": score},
        "human_action": {"cor_num_per_video": int(score)},
    }
    shown: Any = score * 100 if dimension == "imaging_quality" else score
    if dimension in ("human_action", "dynamic_degree"):
        shown = bool(score)
    return {"video_path": video, "video_results": shown, **extras.get(dimension, {})}
