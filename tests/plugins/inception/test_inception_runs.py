"""Whole evaluations: real small videos, PyAV and torch, and small detectors in the place of the published ones."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import djsandbox
import numpy as np
import pytest
from djsandbox.errors import SandboxError

Studio = Any

pytestmark = pytest.mark.slow


def means(colours: Any) -> Any:
    """The features that the small detector gives for frames of one colour: it, in four quarters, over 16."""
    return np.repeat(np.asarray(colours, dtype=float) / 16, 4, axis=-1)


def frechet(one: Any, other: Any, weights: Any = None) -> float:
    """The distance of two sets of rows, by scipy; `weights` are of the first."""
    import scipy.linalg

    (m1, c1), (m2, c2) = (
        (np.average(rows, axis=0, weights=given), np.cov(rows.T, ddof=0, aweights=given))
        for rows, given in ((one, weights), (other, None))
    )
    return float(np.square(m1 - m2).sum() + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2 + 1e-12 * np.eye(len(c1))).real))


def test_several_metrics_give_all_their_values_and_a_line_each(lab: Studio) -> None:
    from djsandbox_inception.metrics import METRICS

    names = ["kvd2048_16f", "isv2048_ucf", "prv2048_3n_16f", "kid50k", "is50k"]  # the others have tests of their values
    evaluation = lab.run(metric=names, num_samples=60)
    assert set(evaluation) == {"results", "metric", "total_time", "total_time_str", "world_size"}
    results = evaluation["results"]
    assert list(results) == [key for name in names for key in METRICS[name].keys]
    assert results["kvd2048_16f"] > 0 and results["kid50k"] > 0
    assert 1 <= results["isv2048_ucf_mean"] <= 3 and 1 <= results["is50k_mean"] <= 3
    assert all(0 <= value <= 1 for key, value in results.items() if key.endswith(("precision", "recall")))
    lines = lab.lines()
    assert [line["metric"] for line in lines] == names
    assert all(line["real_data_path"] == "real.jsonl" and line["num_runs"] == 1 for line in lines)
    assert {key: value for line in lines for key, value in line["results"].items()} == results
    drawn = {line["metric"]: line["samples"]["fake"] for line in lines}
    assert drawn["isv2048_ucf"]["drawn"] == 60 > drawn["isv2048_ucf"]["distinct"]  # of the 30 clips that there are
    for name in ("kvd2048_16f", "prv2048_3n_16f"):  # where a clip that is drawn twice counts once
        assert drawn[name]["drawn"] == drawn[name]["distinct"] == drawn["isv2048_ucf"]["distinct"]


def test_a_dataset_compared_with_itself_is_at_no_distance_and_is_all_precision_and_recall(lab: Studio) -> None:
    results = lab.run(metric=["fvd2048_16f", "pr50k_3n"], fake_data_path="real.jsonl", num_samples=40)["results"]
    assert results == {"fvd2048_16f": pytest.approx(0, abs=1e-4), "pr50k_3n_precision": 1, "pr50k_3n_recall": 1}


def test_the_fvd_of_long_clips_with_and_without_gaps_is_the_one_of_their_first_and_last_frames(
    lab: Studio, colours_of: Any
) -> None:
    sides = {}
    for name, seed, brightness in (("fake", 1, 150), ("real", 2, 120)):
        ends = colours_of(seed, 5, 2, brightness=brightness)
        # Clips of 16 frames, every 8th, begin somewhere in the first 8 of 128 frames, and end 120 later.
        lab.dataset(name, [[first] * 8 + [[0, 0, 0]] * 112 + [last] * 8 for first, last in ends])
        sides[name] = np.asarray(ends, dtype=float).reshape(5, 6) / 16
    results = lab.run(metric=["fvd2048_128f", "fvd2048_128f_subsample8f"], num_samples=5)["results"]
    expected = pytest.approx(frechet(sides["fake"], sides["real"]), rel=1e-3)
    assert results == {"fvd2048_128f": expected, "fvd2048_128f_subsample8f": expected}


def test_several_runs_give_each_value_its_mean_and_deviation(lab: Studio) -> None:
    results = lab.run(metric="fvd2048_16f", num_runs=3, num_samples=5, height=30, width=50)["results"]
    values = [results[f"fvd2048_16f_run{run:02d}"] for run in (1, 2, 3)]
    assert len(set(values)) == 3
    assert results["fvd2048_16f_mean"] == pytest.approx(np.mean(values))
    assert results["fvd2048_16f_std"] == pytest.approx(np.std(values))


def test_the_fid_of_plain_frames_is_the_one_of_their_colours_and_of_changed_data_only_the_new_video_is_decoded(
    lab: Studio, make_video: Any, colours_of: Any
) -> None:
    fake, real = colours_of(1, 6, 20, brightness=150), means(np.concatenate(colours_of(2, 5, 20)))
    first = lab.run(metric="fid50k", cache_path="features")["results"]["fid50k"]
    assert first == pytest.approx(frechet(means(np.concatenate(fake)), real), rel=1e-3)
    assert "features of generated videos: 120/120" in lab.logs()
    shutil.rmtree(lab.folder / "outputs")
    again = lab.run(metric=["fid50k", "kid50k"], cache_path="features")["results"]["fid50k"]
    assert again == first
    assert "features of" not in lab.logs() and "the detector runs" not in lab.logs()
    shutil.rmtree(lab.folder / "outputs")
    fake[0] = colours_of(9, 1, 7)[0]
    make_video(lab.folder / "fake" / "0.mkv", fake[0])  # another content by an old name
    changed = lab.run(metric="fid50k", cache_path="features")["results"]["fid50k"]
    assert "features of generated videos: 7/7" in lab.logs() and "of real" not in lab.logs()
    weights = np.concatenate([np.full(len(video), 1 / len(video)) for video in fake])
    assert changed == pytest.approx(frechet(means(np.concatenate(fake)), real, weights), rel=1e-3)


def test_finished_metrics_are_not_computed_again_on_resume(lab: Studio) -> None:
    broken = lab.folder / "broken"
    broken.mkdir()
    for path in (lab.folder / "detectors").iterdir():
        shutil.copy(path, broken)
    (broken / "c3d_ucf101.pt").write_text("nothing")
    asked = {"metric": ["fid50k", "isv2048_ucf"], "num_samples": 30, "detector_path": "broken", "on_failure": "finish_others"}
    with pytest.raises(SandboxError, match=r"c3d_ucf101\.pt is no TorchScript file"):
        lab.run(**asked)
    (journal,) = lab.folder.glob("outputs/**/journal.jsonl")
    before = journal.read_text()
    assert not (lab.folder / "out" / "results.jsonl").exists()
    with pytest.raises(SandboxError):
        lab.run(resume=True, **asked)
    again = [json.loads(line) for line in journal.read_text()[len(before) :].splitlines()]
    assert "fid50k" not in {line.get("task") for line in again if line["event"] == "task_started"}


def test_jobs_of_one_config_may_share_a_results_file(lab: Studio) -> None:
    path = lab.config(
        metric="is50k", device="cpu", env_manager="existing", env_params={"path": os.environ["DJSANDBOX_TORCH_ENV"]}
    )
    config = json.loads(path.read_text())
    (job,) = config["evaluation_job_configs"]
    other = {**job, "meta_name": "clips", "extra_configs": {**job["extra_configs"], "metric": "isv2048_ucf", "num_samples": 20}}
    config["evaluation_job_configs"].append(other)
    path.write_text(json.dumps(config))
    djsandbox.run("sandbox.yaml")
    assert [line["metric"] for line in lab.lines()] == ["is50k", "isv2048_ucf"]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        ("unreadable", r"fake\.jsonl:2: .*1\.mkv cannot be read as a video"),
        ("short", r"fake\.jsonl:2: .*1\.mkv has 9 frames, and a clip has 16; leave the video out"),
        ("missing", r"fake\.jsonl:2: the video 'fake/1\.mkv' does not exist"),
    ],
)
def test_a_bad_video_fails_the_job_with_its_row_before_the_detector_is_loaded(
    lab: Studio, make_video: Any, break_it: str, said: str
) -> None:
    video = lab.folder / "fake" / "1.mkv"
    if break_it == "unreadable":
        video.write_text("no video")
    elif break_it == "short":
        make_video(video, [[9, 9, 9]] * 9)
    else:
        video.unlink()
    with pytest.raises(SandboxError, match=said):
        lab.run(metric="fvd2048_16f", num_samples=5)
    assert "the detector runs" not in lab.logs()


def test_short_videos_are_left_out_where_that_is_allowed(lab: Studio, make_video: Any) -> None:
    make_video(lab.folder / "fake" / "1.mkv", [[9, 9, 9]] * 9)
    lab.run(metric="fvd2048_16f", num_samples=5, skip_short_videos=True)
    assert lab.lines()[0]["samples"]["fake"] | {"distinct": 0} == {"videos": 5, "skipped": 1, "drawn": 5, "distinct": 0}


def test_a_detector_of_something_else_is_said_to_fail_with_what_it_was_shown(lab: Studio) -> None:
    with pytest.raises(SandboxError, match=r"i3d_torchscript\.pt failed on \(4, 3, 16, 48, 64\)"):
        lab.run(metric="isv2048_ucf", num_samples=20, detector_path="detectors/i3d_torchscript.pt")


def test_a_gpu_that_is_asked_for_and_not_there_is_said_to_be_missing(lab: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SandboxError, match="torch finds no GPU"):
        lab.run(metric="is50k", device="cuda")


@pytest.mark.gpu
def test_a_gpu_gives_what_a_cpu_gives(lab: Studio) -> None:
    names = ["fvd2048_16f", "fid50k", "is50k"]
    on_cpu = lab.run(metric=names, num_samples=40, cache_path="cpu")["results"]
    shutil.rmtree(lab.folder / "outputs")
    on_gpu = lab.run(metric=names, num_samples=40, cache_path="gpu", device="cuda")["results"]
    assert "the detector runs on cuda" in lab.logs()
    assert on_gpu == pytest.approx(on_cpu, rel=1e-3)
