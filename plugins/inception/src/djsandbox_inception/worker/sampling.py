"""Which frames and clips are looked at: pairs of a video's place in its dataset and the frame that it begins with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Sample = tuple[int, int]


def draw_frames(lengths: Sequence[int], at_most: int, random: np.random.Generator) -> list[Sample]:
    """All frames of videos of these `lengths` in a random order, or `at_most` of them, none twice."""
    ends = np.cumsum(lengths)
    chosen = random.permutation(int(ends[-1]))[:at_most]
    videos = np.searchsorted(ends, chosen, side="right")
    starts = chosen - (ends - np.asarray(lengths))[videos]
    return [(int(video), int(start)) for video, start in zip(videos, starts, strict=True)]


def draw_clips(lengths: Sequence[int], span: int, count: int, random: np.random.Generator) -> list[Sample]:
    """`count` clips of `span` frames: one of each video in a random order, and again until there are enough.

    No video is shorter than `span`. Where there are few videos, or short ones, a clip may be drawn more than once.
    """
    drawn: list[Sample] = []
    while len(drawn) < count:
        for video in random.permutation(len(lengths))[: count - len(drawn)]:
            drawn.append((int(video), int(random.integers(lengths[video] - span + 1))))
    return drawn
