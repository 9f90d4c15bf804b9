"""What is found wrong with an evaluation before it is run, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError, Problem
from djsandbox_inception.evaluator import InceptionEvaluator

Studio = Any


def found(studio: Studio, **config: Any) -> list[Problem]:
    studio.config(**config)
    try:
        return list(djsandbox.validate("sandbox.yaml"))
    except ConfigError as error:
        return list(error.problems)


def errors(studio: Studio, **config: Any) -> list[Problem]:
    return [problem for problem in found(studio, **config) if problem.severity == "error"]


@pytest.fixture
def ready(studio: Studio, rows: Any) -> Studio:
    """Datasets and detectors that only look as if: nothing is read of them before a run."""
    for side in ("fake", "real"):
        (studio.folder / side).mkdir()
        (studio.folder / side / "0.mp4").write_text("frames")
        rows(f"{side}.jsonl", [{"videos": [f"{side}/0.mp4"]}])
    (studio.folder / "detectors").mkdir()
    (studio.folder / "detectors" / "i3d_torchscript.pt").write_text("network")
    return studio


def test_a_config_with_which_nothing_is_wrong_has_no_problems(ready: Studio) -> None:
    assert found(ready) == []


@pytest.mark.parametrize(
    ("config", "at", "said"),
    [
        ({"metric": "fvd2048_16"}, '"metric"', "there is no metric 'fvd2048_16'; did you mean 'fvd2048_16f'?"),
        ({"metric": ["fvd2048_16f", "fid"]}, '"metric"', "there is no metric 'fid'"),
        ({"metric": []}, '"metric"', "at least one metric"),
        ({"metric": ["fid50k", "fid50k"]}, '"metric"', "named twice"),
        ({"real_data_path": None}, "extra_configs", "fvd2048_16f: it compares with real videos"),
        ({"fake_data_path": "none.jsonl"}, '"fake_data_path"', "none.jsonl"),
        ({"real_data_path": "none.jsonl"}, '"real_data_path"', "none.jsonl"),
        ({"real_mm_dir": "nowhere"}, '"real_mm_dir"', "nowhere"),
        ({"detector_path": "nowhere.pt"}, '"detector_path"', "nowhere.pt"),
        ({"metric": "fid50k"}, '"detector_path"', "has no inception-2015-12-05.pt"),
        (
            {"metric": ["fid50k", "fvd2048_16f"], "detector_path": "detectors/i3d_torchscript.pt"},
            '"detector_path"',
            "need different detectors",
        ),
        ({"num_runs": 0}, '"num_runs"', "greater than or equal to 1"),
        ({"height": 0}, '"height"', "greater than or equal to 1"),
        ({"cache_path": "fake.jsonl"}, '"cache_path"', "fake.jsonl is no folder"),
        ({"device": "gpu"}, '"device"', "'cuda'"),
        ({"metrics": "fid50k"}, '"metrics"', "did you mean"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_line(ready: Studio, config: dict[str, Any], at: str, said: str) -> None:
    problems = errors(ready, **config)
    lines = (ready.folder / "sandbox.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if at in text)
    (problem,) = [problem for problem in problems if said in f"{problem.message} {problem.fix}"]
    assert problem.where is not None and problem.where.line == line


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"text": "no video"}', "real.jsonl:3: this row has no 'videos', only 'text'"),
        ('{"videos": "real/0.mp4"}', "real.jsonl:3: 'videos' of this row is no list of paths, but \"real/0.mp4\""),
        ('{"videos": [7]}', "real.jsonl:3: 'videos' of this row is no list of paths"),
        ('{"videos": ["real/9.mp4"]}', "real.jsonl:3: the video 'real/9.mp4' does not exist (it would be "),
        ('{"videos": ["real"]}', "real.jsonl:3: the video 'real' is no file"),
        ('{"videos": ["empty.mp4"]}', "real.jsonl:3: the video 'empty.mp4' is an empty file"),
        ("[1]", "real.jsonl:3: this line is no JSON object"),
        ('{"videos": [', "real.jsonl:3: this line is no JSON"),
    ],
    ids=str,
)
def test_a_row_that_names_no_video_is_found_with_file_and_line(ready: Studio, row: str, said: str) -> None:
    Path("empty.mp4").touch()
    first = Path("real.jsonl").read_text()
    Path("real.jsonl").write_text(f"{first}\n{row}\n{first}")
    (problem,) = errors(ready)
    assert said in problem.message


def test_many_bad_rows_are_one_problem_that_says_how_many(ready: Studio, rows: Any) -> None:
    rows("real.jsonl", [{"videos": [f"{at}.mp4"]} for at in range(5)])
    (problem,) = errors(ready)
    assert "(and 4 more such problems in this file)" in problem.message


def test_a_dataset_without_any_video_is_refused(ready: Studio, rows: Any) -> None:
    rows("real.jsonl", [{"videos": []}])
    (problem,) = errors(ready)
    assert problem.message == "real.jsonl names no video"


def test_empty_lists_of_videos_are_only_warned_of(ready: Studio, rows: Any) -> None:
    rows("real.jsonl", [{"videos": []}, {"videos": ["real/0.mp4"]}])
    (problem,) = found(ready)
    assert problem.severity == "warning" and "1 rows of real.jsonl have an empty list" in problem.message


def test_of_generated_videos_validation_only_warns_because_an_earlier_job_may_make_them(ready: Studio, rows: Any) -> None:
    rows("fake.jsonl", [{"videos": ["fake/1.mp4"]}])
    (problem,) = found(ready)
    assert problem.severity == "warning" and "fake.jsonl:1: the video 'fake/1.mp4' does not exist" in problem.message


def test_relative_paths_begin_at_the_folders_that_are_given(ready: Studio, rows: Any) -> None:
    for side in ("fake", "real"):
        rows(f"{side}.jsonl", [{"videos": ["0.mp4"]}])
    assert len(found(ready)) == 2
    assert found(ready, fake_mm_dir="fake", real_mm_dir=str(ready.folder / "real")) == []


def test_another_key_may_name_the_videos(ready: Studio, rows: Any) -> None:
    for side in ("fake", "real"):
        rows(f"{side}.jsonl", [{"clips": [f"{side}/0.mp4"]}])
    assert found(ready, video_key="clips") == []


def test_a_score_of_generated_videos_alone_needs_no_real_ones(ready: Studio) -> None:
    (ready.folder / "detectors" / "c3d_ucf101.pt").write_text("network")
    assert found(ready, metric="isv2048_ucf", real_data_path=None) == []


def test_a_published_detector_of_another_metric_is_warned_of(ready: Studio) -> None:
    given = "detectors/i3d_torchscript.pt"
    assert found(ready, detector_path=given) == []
    (problem,) = found(ready, metric="fid50k", detector_path=given)
    assert problem.severity == "warning"
    assert "I3D on Kinetics-400, and fid50k is defined by Inception-v3 on ImageNet" in problem.message


def test_a_detector_that_is_not_in_the_cache_is_announced_as_a_download(ready: Studio) -> None:
    (problem,) = found(ready, detector_path=None)
    assert problem.severity == "warning" and "will download it from https://www.dropbox.com/" in problem.message
    cache = ready.folder / "detectors-cache"
    cache.mkdir()
    (cache / "i3d_torchscript.pt").write_text("network")
    assert found(ready, detector_path=None) == []


def test_a_target_may_read_a_result_by_its_key_and_another_key_is_found_before_the_run(ready: Studio) -> None:
    path = ready.config()
    for key, is_fine in (("fvd2048_16f", True), ("fid50k", False)):
        config = json.loads(path.read_text())
        config["iter_targets"] = [f"anonymous.inception.evaluation.results.{key} <= 300"]
        config["max_iter_num"] = 2
        Path("targets.yaml").write_text(json.dumps(config))
        if is_fine:
            djsandbox.validate("targets.yaml")
        else:
            with pytest.raises(ConfigError, match="fid50k"):
                djsandbox.validate("targets.yaml")


def test_the_content_of_all_videos_that_are_there_counts(ready: Studio, rows: Any) -> None:
    rows("fake.jsonl", [{"videos": ["fake/0.mp4", "fake/none.mp4"]}, {"videos": ["fake/0.mp4"]}, {}])
    config = InceptionEvaluator.Config(fake_data_path="fake.jsonl", real_data_path="real.jsonl")
    assert list(InceptionEvaluator(config).referenced_files()) == [
        str(ready.folder / side / "0.mp4") for side in ("fake", "real")
    ]
    config = InceptionEvaluator.Config(fake_data_path="not-yet.jsonl", real_data_path="real.jsonl", metric="is50k")
    assert list(InceptionEvaluator(config).referenced_files()) == []
