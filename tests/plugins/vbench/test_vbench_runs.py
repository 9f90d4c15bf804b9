"""Evaluations as runs, with the stand-in in the place of VBench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox.errors import JobFailed
from djsandbox_vbench.dimensions import DIMENSIONS, totals
from djsandbox_vbench.testing.__main__ import make_videos

Lab = Any


def arguments_in(log: str) -> str:
    """What VBench says that it was started with."""
    (line,) = {line for line in log.splitlines() if line.startswith("args: Namespace")}
    return line


def test_the_job_gives_the_mean_of_the_scores_as_the_guide_says(lab: Lab) -> None:
    lab.write()
    mean = lab.run()["mean"]
    detail = lab.merged()["detail"]
    assert list(detail) == ["subject_consistency", "dynamic_degree", "scene"]
    assert mean == pytest.approx(sum(detail.values()) / 3) == lab.merged()["mean_score"]


def test_all_dimensions_give_the_scores_of_the_leaderboard(lab: Lab) -> None:
    wanted = ["mean_score", "quality_score", "semantic_score", "total_score", "dimension_scores"]
    lab.write(output=["mean", "quality", "semantic", "total", "scores"], outputs=wanted, dimension_list=list(DIMENSIONS))
    given = lab.run()
    expected = totals(given["scores"])
    assert list(given["scores"]) == list(DIMENSIONS)
    assert (given["quality"], given["semantic"], given["total"]) == (expected.quality, expected.semantic, expected.total)
    assert lab.merged()["is_complete"] is True


def test_scores_of_dimensions_and_of_the_whole_go_to_the_watcher(lab: Lab) -> None:
    lab.write(dimension_list=["imaging_quality"])
    lab.run()
    metrics, merged = lab.metrics(), lab.merged()
    assert metrics["vbench_eval.imaging_quality.score"] == merged["detail"]["imaging_quality"]
    assert metrics["vbench_eval.imaging_quality.videos"] == 10
    assert metrics["vbench_eval.imaging_quality.progress"] == 1.0
    assert metrics["vbench_eval.total_score"] == metrics["vbench_eval.quality_score"] == merged["total_score"]
    assert "vbench_eval.semantic_score" not in metrics


def test_the_scores_of_single_videos_are_in_a_file_on_the_scale_of_their_dimension(lab: Lab) -> None:
    lab.write(dimension_list=["imaging_quality"])
    lab.run()
    rows = [json.loads(line) for line in (lab.folder / "out" / "vbench_evaluator_videos.jsonl").read_text().splitlines()]
    assert len(rows) == 10
    assert sum(row["score"] for row in rows) / 10 == pytest.approx(lab.merged()["detail"]["imaging_quality"])
    assert rows[0]["vbench"]["video_results"] == pytest.approx(100 * rows[0]["score"])


def test_false_is_not_passed_because_vbench_would_take_it_for_true(lab: Lab) -> None:
    lab.write(load_ckpt_from_local=False, dimension_list=["scene"])
    lab.run()
    assert "load_ckpt_from_local=None, read_frame=None" in arguments_in(lab.logs())


def test_true_is_passed(lab: Lab) -> None:
    lab.write(load_ckpt_from_local=True, read_frame=True, dimension_list=["scene"])
    lab.run()
    assert "load_ckpt_from_local=True, read_frame=True" in arguments_in(lab.logs())


def test_a_folder_with_spaces_in_its_name_is_one_argument(lab: Lab) -> None:
    os.rename(lab.videos, lab.folder / "my videos")
    lab.write(videos_path="my videos", output_path="my results", dimension_list=["scene"])
    lab.run()
    assert "/my videos'" in arguments_in(lab.logs())


def test_the_results_of_each_dimension_lie_in_a_folder_of_its_own(lab: Lab) -> None:
    lab.write(eval_name="first")
    lab.run()
    for name in ("subject_consistency", "dynamic_degree", "scene"):
        assert len(list((lab.folder / "out" / "first" / name).glob("results_*_eval_results.json"))) == 1
    assert lab.merged("first")["detail"].keys() == {"subject_consistency", "dynamic_degree", "scene"}


def test_no_more_gpus_work_on_a_dimension_than_it_has_parts(lab: Lab) -> None:
    """A rank without any video or prompt divides by zero; scene has one prompt, human_action five videos."""
    asked = lab.tasks(num_gpus=8, dimension_list=["scene", "human_action"])
    assert {task.name: (task.gpus, task.argv[3]) for task in asked} == {"scene": (1, "1"), "human_action": (5, "5")}
    lab.write(num_gpus=8, dimension_list=["scene", "human_action"])
    lab.run()


def test_one_gpu_works_where_prompts_lack_all_their_videos(lab: Lab) -> None:
    prompts = [
        {"prompt_en": name, "dimension": ["color"], "auxiliary_info": {"color": {"color": name}}}
        for name in ("red", "blue", "grey")
    ]
    (lab.folder / "list.json").write_text(json.dumps(prompts))
    make_videos(lab.folder / "colours", lab.folder / "list.json")
    config = {"videos_path": "colours", "full_json_dir": "list.json", "dimension_list": ["color"], "num_gpus": 8}
    assert [task.gpus for task in lab.tasks(**config)] == [3]
    for video in (lab.folder / "colours").glob("blue-*"):
        video.unlink()
    assert [task.gpus for task in lab.tasks(**config, allow_missing_videos=True)] == [1]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("exit-0-nothing", "did not write its output"),
        ("crash-midway", "exit code 1"),
        ("killed", "SIGKILL"),
        ("nan-score", "the score of scene is nan, no number"),
        ("half-written", "half-written"),
        ("out-of-memory", "the GPU has too little free memory"),
        ("no-gpu", "VBench found no GPU"),
        ("no-detectron2", "VBench lacks detectron2"),
    ],
)
def test_an_evaluation_that_fails_is_no_score_and_says_why(lab: Lab, way: str, said: str) -> None:
    lab.write(way=f"{way}:scene")
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert "task 'scene' failed" in str(failed.value)
    assert said in str(failed.value) + lab.logs()
    assert not (lab.folder / "out" / "vbench_evaluator_merged_results.json").exists()


def test_results_of_an_earlier_evaluation_are_not_taken_for_those_of_one_that_gave_none(lab: Lab) -> None:
    lab.write(dimension_list=["scene"])
    lab.run()
    lab.write(dimension_list=["scene"], way="old-results")
    with pytest.raises(JobFailed, match="has written no results of scene"):
        lab.run()


def test_the_second_evaluation_into_one_folder_gives_its_own_score_and_not_the_oldest(lab: Lab) -> None:
    lab.write(dimension_list=["scene"])
    first = lab.run()["mean"]
    for video in lab.videos.glob("library-*"):
        video.write_bytes(b"another take of " + video.name.encode())
    second = lab.run()["mean"]
    assert second != first
    assert second == lab.merged()["detail"]["scene"]


def test_missing_videos_are_named_before_anything_is_started(lab: Lab) -> None:
    (lab.videos / "library-3.mp4").unlink()
    lab.write()
    with pytest.raises(JobFailed, match=r"lacks 1 video that the prompt list wants for scene: 'library-3\.mp4'"):
        lab.run()
    assert lab.events("task_started") == []


def test_missing_videos_may_be_allowed_and_are_counted(lab: Lab) -> None:
    (lab.videos / "library-3.mp4").unlink()
    lab.write(allow_missing_videos=True)
    lab.run()
    assert lab.metrics()["vbench_eval.scene.missing_videos"] == 1
    assert lab.merged()["dimensions"]["scene"]["videos"] == 4


def test_a_dimension_without_a_single_video_is_an_error_also_where_missing_ones_are_allowed(lab: Lab) -> None:
    for video in lab.videos.glob("library-*"):
        video.unlink()
    lab.write(allow_missing_videos=True)
    with pytest.raises(JobFailed, match="no video at all for scene"):
        lab.run()


def test_videos_of_ones_own_are_evaluated_without_a_prompt_list(lab: Lab) -> None:
    own = lab.folder / "own"
    own.mkdir()
    (own / "a red kite.mp4").write_bytes(b"kite")
    (own / "prompts.json").write_text("{}")
    (lab.folder / "prompts.json").write_text(json.dumps({"a red kite.mp4": "a kite"}))
    lab.write(videos_path="own", mode="custom_input", prompt_file="prompts.json", dimension_list=["dynamic_degree"])
    lab.run()
    assert lab.merged()["dimensions"]["dynamic_degree"]["videos"] == 1
    assert "mode='custom_input'" in arguments_in(lab.logs())


def test_a_category_is_evaluated_in_all_dimensions_by_the_prompts_in_its_file(lab: Lab) -> None:
    (lab.folder / "places.txt").write_text("library\n\n a mill beside a river, at night \n")
    make_videos_of(lab.folder / "places", ["library", "a mill beside a river, at night", "of no prompt"])
    config = {"videos_path": "places", "mode": "vbench_category", "category": "places.txt"}
    lab.write(**config, dimension_list=["dynamic_degree", "temporal_style"])
    lab.run()
    assert {name: one["videos"] for name, one in lab.merged()["dimensions"].items()} == {
        "dynamic_degree": 10,
        "temporal_style": 10,
    }
    rows = [json.loads(line) for line in (lab.folder / "out" / "vbench_evaluator_videos.jsonl").read_text().splitlines()]
    assert not any("of no prompt" in row["video_path"] for row in rows)
    (lab.folder / "places.txt").write_text("library\n")
    lab.run(resume=True)
    assert lab.merged()["dimensions"]["dynamic_degree"]["videos"] == 5


def make_videos_of(folder: Path, prompts: list[str]) -> None:
    folder.mkdir()
    for prompt in prompts:
        for number in range(5):
            (folder / f"{prompt}-{number}.mp4").write_bytes(f"{prompt} {number}".encode())


def test_the_cache_of_models_is_passed_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VBENCH_CACHE_DIR", "models")
    (task,) = lab.tasks(dimension_list=["scene"])
    assert task.env["VBENCH_CACHE_DIR"] == str(lab.folder / "models")


def test_detectron2_that_is_missing_is_told_before_anything_is_started(lab: Lab) -> None:
    lab.remove("detectron2")
    with pytest.raises(ComponentError, match="color: VBench needs detectron2") as wrong:
        lab.tasks(dimension_list=["scene", "color"])
    assert "pip install --no-build-isolation" in str(wrong.value)


def test_only_data_is_evaluated(lab: Lab) -> None:
    with pytest.raises(ComponentError, match="VBench evaluates data, not 'model'"):
        lab.tasks("model", dimension_list=["scene"])


def test_on_resume_nothing_is_repeated(lab: Lab) -> None:
    lab.write()
    before = lab.run()["mean"]
    assert lab.run(resume=True)["mean"] == before
    assert len(lab.events("task_started")) == 3


def test_a_run_that_is_killed_goes_on_with_the_dimensions_that_had_not_finished(lab: Lab) -> None:
    lab.write(way="slow:scene", launcher={"type": "local", "max_parallel": 1})
    run = subprocess.Popen([sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"], cwd=lab.folder)
    try:
        wait_for(lambda: (lab.work_dir / "journal.jsonl").exists() and "scene" in lab.events("task_started"))
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert lab.events("task_finished") == ["subject_consistency", "dynamic_degree"]
    lab.run(resume=True)
    assert lab.events("task_started").count("scene") == 2
    assert len(lab.events("task_started")) == 4
    assert len(lab.merged()["detail"]) == 3


def wait_for(happened: Any) -> None:
    for _ in range(6000):
        try:
            if happened():
                return
        except ValueError:  # a line that is being written
            pass
        time.sleep(0.01)
    raise AssertionError("it has not happened")
