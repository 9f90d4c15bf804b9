"""Which frames and clips are drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
from djsandbox_inception.worker.sampling import draw_clips, draw_frames


def test_all_frames_are_drawn_once_where_there_are_no_more_than_wanted() -> None:
    drawn = draw_frames([3, 1, 4], 50_000, np.random.default_rng(0))
    assert sorted(drawn) == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3)]
    assert drawn != sorted(drawn)


def test_of_too_many_frames_some_are_drawn_from_everywhere() -> None:
    drawn = draw_frames([500, 500], 100, np.random.default_rng(0))
    assert len(set(drawn)) == len(drawn) == 100
    assert {video for video, _ in drawn} == {0, 1}
    assert max(start for _, start in drawn) > 400


def test_each_video_gives_a_clip_before_one_gives_a_second() -> None:
    drawn = draw_clips([30] * 7, 16, 17, np.random.default_rng(0))
    assert sorted(Counter(video for video, _ in drawn).values()) == [2, 2, 2, 2, 3, 3, 3]
    assert sorted(video for video, _ in drawn[:7]) == list(range(7))


def test_a_clip_ends_inside_its_video_and_may_begin_wherever_that_holds() -> None:
    drawn = draw_clips([16, 18], 16, 200, np.random.default_rng(0))
    assert {start for video, start in drawn if video == 0} == {0}
    assert {start for video, start in drawn if video == 1} == {0, 1, 2}


def test_the_same_seed_draws_the_same() -> None:
    one, other = (draw_clips([40] * 5, 16, 30, np.random.default_rng([7, 0])) for _ in range(2))
    assert one == other != draw_clips([40] * 5, 16, 30, np.random.default_rng([7, 1]))
