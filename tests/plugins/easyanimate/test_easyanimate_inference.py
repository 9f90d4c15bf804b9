from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobFailed

VERSIONS = ("legacy", "current")


def generate(place: Any, version: str = "current", fault: str = "", **changed: Any) -> Any:
    return djsandbox.run(place.config("InferModelHook", place.inference(version, fault, **changed))).context["anonymous"][0][
        "result"
    ]


def videos() -> list[str]:
    return sorted(path.name for path in Path("out/videos").iterdir())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("parts", [1, 3, 9])
def test_every_prompt_gets_its_videos_by_the_name_that_vbench_looks_for(place: Any, version: str, parts: int) -> None:
    assert generate(place, version, gpu_num=parts) == "out/videos"
    prompts = [one["prompt_en"] for one in json.loads(place.tool.prompts.read_text())]
    assert videos() == sorted(f"{prompt}-{number}.mp4" for prompt in prompts for number in (0, 1))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing-results", "No such file or directory"),
        ("crash-midway", "Expected all tensors to be on the same device"),
        ("cuda-oom", "CUDA out of memory"),
        ("killed", "SIGKILL"),
        ("empty-results", "are empty or cut off"),
        ("cut-results", "are empty or cut off"),
    ],
)
def test_no_way_to_fail_passes_for_success(place: Any, version: str, fault: str, message: str) -> None:
    if (version, fault) == ("legacy", "missing-results"):
        message = "did not write its output 'out/videos/a person is reading-1.mp4'"
    with pytest.raises(JobFailed) as failed:
        generate(place, version, fault)
    assert message in str(failed.value)


def test_an_old_inference_that_ends_with_exit_code_0_and_writes_nothing_has_failed(place: Any) -> None:
    with pytest.raises(JobFailed, match="did not write its output"):
        generate(place, "legacy", "exit-0-nothing")


@pytest.mark.parametrize("version", VERSIONS)
def test_videos_of_an_earlier_run_are_no_results(place: Any, version: str) -> None:
    generate(place, version)
    with pytest.raises(JobFailed, match=r"is an old one|Error"):
        generate(place, version, "old-results")


def test_with_the_current_version_the_number_of_parts_does_not_change_the_result(place: Any) -> None:
    generate(place, gpu_num=1)
    (job,) = djsandbox.plan(place.config("InferModelHook", place.inference(gpu_num=4)), resume=True).jobs
    assert job.action == "reuse"


def test_with_the_old_version_it_does_because_batches_are_others(place: Any) -> None:
    generate(place, "legacy", gpu_num=1)
    (job,) = djsandbox.plan(place.config("InferModelHook", place.inference("legacy", gpu_num=4)), resume=True).jobs
    assert job.action == "run"


def test_a_part_that_failed_is_the_only_one_that_runs_again(place: Any) -> None:
    extra = {**place.inference(gpu_num=4), "on_failure": "finish_others"}
    blocked = Path("out/videos/waves at sunset, slow motion-1.mp4")
    blocked.mkdir(parents=True)  # cannot be replaced by a file
    with pytest.raises(JobFailed, match="part_3"):
        djsandbox.run(place.config("InferModelHook", extra))
    written = {path.name: path.stat().st_mtime_ns for path in Path("out/videos").glob("a *.mp4")}
    assert len(written) == 6
    os.rmdir(blocked)
    djsandbox.run("sandbox.yaml", resume=True)
    assert {path.name: path.stat().st_mtime_ns for path in Path("out/videos").glob("a *.mp4")} == written
    assert len(videos()) == 8


def test_prompts_that_stand_twice_are_generated_once(place: Any) -> None:
    place.tool.prompts.write_text("\n".join(json.dumps({"prompt_en": prompt}) for prompt in ("a", "b", "a")))
    generate(place, gpu_num=2)
    assert videos() == ["a-0.mp4", "a-1.mp4", "b-0.mp4", "b-1.mp4"]


def test_the_current_version_generates_without_a_lora(place: Any) -> None:
    extra = place.inference()
    del extra["train"]["model_path"]["lora_path"]
    djsandbox.run(place.config("InferModelHook", extra))
    assert len(videos()) == 8


@pytest.mark.parametrize("mode", ["model_cpu_offload", "model_cpu_offload_and_qfloat8", "sequential_cpu_offload"])
def test_every_memory_mode_and_size_is_taken(place: Any, mode: str) -> None:
    generate(place, gpu_memory_mode=mode, image_size=256, teacache_threshold=0, mixed_precision="fp16", sampler="DDIM")
    assert len(videos()) == 8


def test_the_number_of_videos_is_a_metric(place: Any) -> None:
    generate(place)
    lines = [json.loads(line) for line in Path("work/metrics.jsonl").read_text().splitlines()]
    assert [one["value"] for one in lines if one.get("name", "").endswith("generate.videos")] == list(range(1, 9))


def test_a_training_hands_its_checkpoint_to_the_inference_by_reference(place: Any) -> None:
    place.metadata()
    infer = place.inference()
    infer["train"]["model_path"]["lora_path"] = "<replaced_by_the_training>"
    second = {
        "hook": "InferModelHook",
        "meta_name": "infer",
        "input": {"extra_configs.train.model_path.lora_path": "anonymous.job.result"},
        "extra_configs": infer,
    }
    config = place.config("TrainModelHook", place.training(), evaluation_job_configs=[second])
    djsandbox.run(config)
    order = next(Path("work/jobs").rglob("generate.json"))
    assert json.loads(order.read_text())["lora_path"] == str(Path("out/models/checkpoint-6.safetensors").absolute())


@pytest.mark.slow
def test_parts_run_beside_each_other(place: Any) -> None:
    extra = {**place.inference(fault="slow", gpu_num=2), "launcher": {"type": "local", "max_parallel": 2, "cpus": 2}}
    djsandbox.run(place.config("InferModelHook", extra))
    events = [json.loads(line) for line in Path("work/journal.jsonl").read_text().splitlines()]
    order = [(event.get("event") or event.get("kind"), event.get("task")) for event in events if event.get("task")]
    firsts = [order.index(next(one for one in order if one[1] == part)) for part in ("part_1", "part_2")]
    lasts = [max(at for at, one in enumerate(order) if one[1] == part) for part in ("part_1", "part_2")]
    assert max(firsts) < min(lasts)
