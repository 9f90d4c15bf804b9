"""The leaderboard's scores, and what is read from VBench's files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_vbench.dimensions import DIMENSIONS, totals
from djsandbox_vbench.results import read_result

ORDER = """
    subject_consistency background_consistency temporal_flickering motion_smoothness dynamic_degree aesthetic_quality
    imaging_quality object_class multiple_objects human_action color spatial_relationship scene appearance_style temporal_style
    overall_consistency
"""
ALL = {name: 0.3 + 0.04 * at for at, name in enumerate(ORDER.split())}


def test_all_sixteen_give_what_the_script_of_vbench_gives() -> None:
    """The numbers are those that `scripts/cal_final_score.py` (VBench 45e79ec) computes of the same scores."""
    got = totals(ALL)
    assert got.quality == pytest.approx(-0.014955558463596206)
    assert got.semantic == pytest.approx(1.3291015126857912)
    assert got.total == pytest.approx(0.2538558557662813)
    assert got.is_complete


def test_missing_dimensions_as_zero_give_what_the_script_of_vbench_gives() -> None:
    got = totals({"subject_consistency": 0.9, "dynamic_degree": 0.5}, "zero")
    assert (got.quality, got.semantic) == (pytest.approx(-0.51396525058401), pytest.approx(-0.00035137034434293746))
    assert got.total == pytest.approx(-0.4112424745360766)
    assert not got.is_complete


def test_both_ways_are_the_same_where_nothing_is_missing() -> None:
    assert totals(ALL, "zero") == totals(ALL)


def test_what_was_not_measured_has_no_part_in_the_scores() -> None:
    got = totals({"subject_consistency": 1.0, "dynamic_degree": 0.0})
    assert got.quality == pytest.approx(1 / 1.5)  # dynamic_degree counts half
    assert got.semantic is None
    assert got.total == got.quality


def test_quality_counts_four_times_as_much_as_semantic() -> None:
    assert totals({"aesthetic_quality": 1.0, "human_action": 0.0}).total == pytest.approx(0.8)


def test_the_usual_range_of_every_dimension_becomes_zero_to_one() -> None:
    for dimension in DIMENSIONS.values():
        assert dimension.normalized(dimension.least) == 0
        assert dimension.normalized(dimension.most) == pytest.approx(1)


def test_the_files_of_vbench_itself_are_read(real: Path, folder: Folder) -> None:
    folder.copy(real)
    result = read_result(folder.path, "temporal_flickering", has_list=True)
    assert result.score == 0.9916203707807204
    assert [video.score for video in result.videos][::4] == [0.9996583094783857, 0.9819736237619437]
    assert result.videos[0].video == "videos/a chess board on a table, nobody near it, still-0.mp4"
    assert result.missing == 0


class Folder:
    """A folder of results, written as by VBench at several times."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def meta(self, time: str, *, videos: int = 5, dimension: str = "scene") -> None:
        row = {"prompt_en": "library", "dimension": [dimension], "video_list": [f"library-{at}.mp4" for at in range(videos)]}
        (self.path / f"results_{time}_full_info.json").write_text(json.dumps([row]))

    def results(self, time: str, content: Any) -> None:
        (self.path / f"results_{time}_eval_results.json").write_text(json.dumps(content))

    def copy(self, real: Path) -> None:
        """As if VBench had written now, in its order, what it has written to `real`."""
        for kind in ("full_info", "eval_results"):
            (file,) = real.glob(f"*_{kind}.json")
            shutil.copyfile(file, self.path / file.name)

    def read(self, dimension: str = "scene") -> Any:
        return read_result(self.path, dimension, has_list=True)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def scene(score: Any, per_video: Any = 0.5, name: str = "scene") -> Any:
    return {name: [score, [{"video_path": "library-0.mp4", "video_results": per_video, "frame_count": 16}]]}


def test_the_latest_results_count_and_never_the_oldest(folder: Folder) -> None:
    for time, score in (("2026-01-02-00:00:00", 0.1), ("2026-01-01-00:00:00", 0.2)):  # the clock was set back in between
        folder.meta(time)
        folder.results(time, scene(score))
    assert folder.read().score == 0.2


def test_an_evaluation_that_has_only_begun_does_not_pass_for_the_one_before(folder: Folder) -> None:
    folder.meta("2026-01-01-00:00:00")
    folder.results("2026-01-01-00:00:00", scene(0.9))
    folder.meta("2026-01-02-00:00:00")
    with pytest.raises(ComponentError, match="has written no results of scene, only which videos"):
        folder.read()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (scene(float("nan")), "the score of scene is nan, no number"),
        (scene(None), "the score of scene is None"),
        (scene(0.5, float("inf")), "the score of 'library-0.mp4' in scene is inf"),
        (scene(0.5, "high"), "is 'high', no number"),
        (scene(0.5, name="color"), r"no 'scene: \[score, \[videos\]\]'"),
        ({"scene": [0.5, []]}, "is one of no videos"),
        ({"scene": [0.5, ["a.mp4"]]}, "not of the form"),
        ([], "no 'scene"),
    ],
)
def test_results_that_are_none_are_an_error_that_says_so(folder: Folder, content: Any, said: str) -> None:
    folder.meta("2026-01-01-00:00:00")
    folder.results("2026-01-01-00:00:00", content)
    with pytest.raises(ComponentError, match=said):
        folder.read()


def test_half_written_results_are_an_error(folder: Folder, real: Path) -> None:
    folder.copy(real)
    (file,) = folder.path.glob("*_eval_results.json")
    file.write_text(file.read_text()[:100])
    with pytest.raises(ComponentError, match="half-written"):
        folder.read("temporal_flickering")


def test_imaging_quality_of_single_videos_is_brought_to_the_scale_of_its_score(folder: Folder) -> None:
    folder.meta("2026-01-01-00:00:00", dimension="imaging_quality")
    folder.results("2026-01-01-00:00:00", scene(0.61, 61.0, "imaging_quality"))
    (video,) = folder.read("imaging_quality").videos
    assert video.score == pytest.approx(0.61)
    assert video.details == {"video_results": 61.0, "frame_count": 16}


def test_true_and_false_are_scores(folder: Folder) -> None:
    folder.meta("2026-01-01-00:00:00", dimension="human_action")
    folder.results("2026-01-01-00:00:00", scene(0.0, True, "human_action"))
    assert folder.read("human_action").videos[0].score == 1.0


def test_videos_that_were_missing_are_counted(folder: Folder) -> None:
    folder.meta("2026-01-01-00:00:00", videos=3)
    folder.results("2026-01-01-00:00:00", scene(0.5))
    assert folder.read().missing == 2


def test_processes_that_begin_in_different_seconds_belong_to_one_evaluation(tmp_path: Path) -> None:
    result = {"human_action": [1.0, [{"video_path": "a.mp4", "video_results": True}]]}
    written = {
        "results_09:00:02_full_info.json": [],
        "results_09:00:01_full_info.json": [],
        "results_09:00:01_eval_results.json": result,
    }
    for at, (name, data) in enumerate(written.items()):
        (tmp_path / name).write_text(json.dumps(data))
        os.utime(tmp_path / name, (at, at))
    assert read_result(tmp_path, "human_action", has_list=True).score == 1
    (tmp_path / "results_09:30:00_full_info.json").write_text("[]")  # a later one, which ended without results
    with pytest.raises(ComponentError, match="written no results of human_action"):
        read_result(tmp_path, "human_action", has_list=True)
