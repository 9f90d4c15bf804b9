"""A training succeeds when its checkpoint is there, new and whole, and fails by what Trinity says: never by its exit code."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from djsandbox import JobContext, JobFailed
from djsandbox_trinity.trainer import TrinityRFTTrainer


def test_the_result_is_the_model_of_the_last_step(sandbox, no_head_is_left):
    sandbox.trinity["trainer"] = {"save_interval": 1}
    sandbox.trinity["buffer"]["total_steps"] = 11  # as text, 9 would come after 11
    model = Path(sandbox.run())
    assert (model.parts[-3:]) == ("global_step_11", "actor", "huggingface")
    assert (model / "model.safetensors").is_file()
    assert sandbox.metric("rft.train.last_step") == 11


def test_the_path_of_a_trinity_config_may_be_what_is_run(sandbox):
    """As the guide says: `run_obj` may be the path of Trinity's config."""
    sandbox.write()
    other = sandbox.folder / "other.yaml"
    other.write_text(yaml.safe_dump({**sandbox.trinity, "name": "other", "model": {"model_path": str(sandbox.stand_in.model)}}))
    (sandbox.folder / "jobs").mkdir()
    trainer = TrinityRFTTrainer(TrinityRFTTrainer.Config(start_ray=True))
    environment = SimpleNamespace(path=sandbox.stand_in.env, python=sandbox.stand_in.env / "bin" / "python", name="e")
    environment.variables = dict
    trainer.attach(JobContext(work_dir=sandbox.folder / "jobs", environment=environment))
    model = asyncio.run(trainer.run("train", str(other)))
    assert ("other" in Path(model).parts, Path(model).is_dir()) == (True, True)


def test_metrics_of_every_step_are_recorded_with_nan(sandbox):
    sandbox.run()
    assert sandbox.metric("rft.train.critic/rewards/mean") == pytest.approx(1 - math.exp(-2), abs=1e-6)
    norms = [event for event in sandbox.journalled_metrics() if event["name"] == "rft.train.actor/grad_norm"]
    assert [event["step"] for event in norms] == [1, 3]
    assert norms[0]["value"]["value"] == "nan"
    losses = [event["step"] for event in sandbox.journalled_metrics() if event["name"] == "rft.train.actor/final_loss"]
    assert losses == [1, 2, 3, 4]


def test_the_config_that_it_runs_with_is_the_users_with_the_overrides(sandbox):
    sandbox.run(overrides={"buffer": {"total_steps": 2}, "algorithm": {"optimizer": {"lr": 1e-5}}})
    text = next((sandbox.folder / "work" / "jobs").rglob("train.yaml")).read_text()
    written = yaml.safe_load(text)
    assert written["buffer"]["total_steps"] == 2
    assert written["buffer"]["batch_size"] == 2
    assert written["algorithm"] == {"optimizer": {"lr": 1e-5}}
    assert written["project"] == "sums"
    assert written["model"]["model_path"] == str(sandbox.stand_in.model)
    assert "!!" not in text


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("exit-0-nothing", "it wrote no checkpoint"),
        ("old-results", "it wrote no checkpoint"),
        ("trainer-failed", "Trainer failed: torch.OutOfMemoryError: CUDA out of memory."),
        ("both-failed", "Explorer or Trainer failed: torch.OutOfMemoryError"),
        ("trainer-error", "Error in Trainer: RuntimeError: stack expects each tensor to be equal size"),
        ("explorer-error", "Error in Explorer: RuntimeError: stack expects"),
        ("half-checkpoint", "was begun and not finished"),
        ("no-weights", "is not whole: it has no weights"),
        ("nan-loss", "the training diverged: actor/final_loss is nan at step 4"),
        ("crash-midway", "exit code 1"),
        ("killed", "ended by signal 9"),
        ("ray-dies", "Failed to start GCS"),
    ],
)
def test_each_way_to_fail_is_found(sandbox, no_head_is_left, failure, words):
    with pytest.raises(JobFailed) as caught:
        sandbox.run(failure=failure)
    assert words in str(caught.value) + sandbox.log()


def test_trinitys_failure_is_told_to_the_user_and_not_only_logged(sandbox):
    with pytest.raises(JobFailed, match="Error in Trainer: RuntimeError: stack expects"):
        sandbox.run(failure="trainer-error")


def test_a_training_that_hangs_is_ended_with_all_it_started(sandbox, no_head_is_left):
    with pytest.raises(JobFailed, match=r"timeout|seconds"):
        sandbox.run(failure="hangs", timeout=6.0)


def test_metrics_are_there_while_it_runs_and_not_only_when_it_has_ended(sandbox):
    """This one never ends by itself, so nothing but what was read on the way can have brought them."""
    with pytest.raises(JobFailed):
        sandbox.run(failure="hangs", timeout=6.0)
    assert sandbox.metric("rft.train.training/global_step") >= 1


def test_a_failed_try_leaves_nothing_that_a_second_one_picks_up(sandbox):
    with pytest.raises(JobFailed):
        sandbox.run(failure="crash-midway", checkpoint_root_dir="./checkpoints")
    model = Path(sandbox.run(checkpoint_root_dir="./checkpoints"))
    assert "attempt_2" in model.parts
    steps = [event["step"] for event in sandbox.journalled_metrics() if event["name"].endswith("final_loss")]
    assert steps[-4:] == [1, 2, 3, 4]


def test_an_older_result_is_never_the_result_of_a_later_run(sandbox):
    sandbox.run(checkpoint_root_dir="./checkpoints")
    with pytest.raises(JobFailed, match="wrote no checkpoint"):
        sandbox.run(failure="old-results", checkpoint_root_dir="./checkpoints", overrides={"buffer": {"total_steps": 5}})


def test_a_training_is_continued_where_that_is_asked_for(sandbox):
    keys = {"checkpoint_root_dir": "./checkpoints", "overrides": {"trainer": {"save_interval": 1}}}
    with pytest.raises(JobFailed):
        sandbox.run(failure="crash-midway", **keys)
    model = Path(sandbox.run(continue_from_checkpoint=True, **keys))
    assert "attempt_1" in model.parts
    first_again = next(event for event in sandbox.journalled_metrics()[::-1] if event["name"].endswith("train_step"))
    assert first_again["step"] == 3


def test_a_continued_training_that_adds_nothing_has_failed(sandbox):
    keys = {"checkpoint_root_dir": "./checkpoints", "continue_from_checkpoint": True}
    sandbox.run(**keys)
    with pytest.raises(JobFailed, match="no new checkpoint"):
        sandbox.run(**keys)


def test_an_error_of_the_try_before_is_not_found_again_when_it_is_continued(sandbox):
    keys = {"checkpoint_root_dir": "./checkpoints", "continue_from_checkpoint": True}
    with pytest.raises(JobFailed, match="Error in Trainer"):
        sandbox.run(failure="trainer-error", **keys)
    sandbox.run(overrides={"buffer": {"total_steps": 6}}, **keys)


def test_a_file_is_handed_over_in_a_folder_because_trinity_takes_no_file(sandbox):
    pool = (sandbox.folder / "taskset" / "train.jsonl").rename(sandbox.folder / "pool.jsonl")
    (model,) = sandbox.run(taskset_paths=[str(pool)])
    assert Path(model).is_dir()
    assert sandbox.metric("rft.pool.critic/rewards/mean") > 0


def test_where_no_weights_are_saved_the_result_is_the_folder_of_the_step(sandbox):
    model = Path(sandbox.run(overrides={"trainer": {"save_hf_checkpoint": "never"}}))
    assert model.name == "global_step_4"


def test_metrics_that_ray_does_not_hand_on_are_taken_from_the_log_files(sandbox):
    from djsandbox import JobContext
    from djsandbox_trinity.trainer import TrinityRFTTrainer

    sandbox.run()
    seen = []

    class Watcher:
        def watch(self, res, meta_name="", step=None):
            seen.append((step, dict(res)))

    folder = next((sandbox.folder / "work" / "jobs").rglob("run.json")).parent
    trainer = TrinityRFTTrainer(TrinityRFTTrainer.Config(trinity_config_path="trinity.yaml"))
    work_dir = next((sandbox.folder / "work" / "jobs").rglob("train.yaml")).parent
    trainer.attach(JobContext(work_dir=work_dir, watcher=Watcher(), task="train"))
    from djsandbox import Task

    trainer.task_result(Task("train", ("x",), (str(folder),)))
    assert any(step == 4 and "critic/rewards/mean" in metrics for step, metrics in seen)
    assert any("rollout/accuracy/mean" in metrics for _, metrics in seen)


def test_the_note_of_a_try_tells_where_its_job_is(sandbox):
    sandbox.run()
    note = json.loads(next((sandbox.folder / "work" / "jobs").rglob("run.json")).read_text())
    assert note["job_dir"].endswith("/attempt_1/sums/grpo")
    assert note["steps_before"] == []


def test_modules_of_the_users_reach_trinity(sandbox):
    (sandbox.folder / "plugins").mkdir()
    sandbox.run(plugin_dir=str(sandbox.folder / "plugins"))
    assert f"plugins from {sandbox.folder}/plugins" in sandbox.log()


def test_how_it_is_run_does_not_make_it_run_again(sandbox):
    before = sandbox.run()
    assert sandbox.run(resume=True, start_ray=True, retries=2) == before
    assert len(list((sandbox.folder / "work" / "jobs").rglob("attempt_*"))) == 1


@pytest.mark.parametrize(
    ("config", "gpus"),
    [
        ({}, 2),
        ({"mode": "colocate"}, 1),
        ({"mode": "train"}, 1),
        ({"cluster": {"gpu_per_node": 8}}, 8),
        ({"explorer": {"rollout_model": {"engine_num": 2, "tensor_parallel_size": 2}}}, 5),
        ({"explorer": {"rollout_model": {"engine_num": 1}, "auxiliary_models": [{"engine_num": 1}]}}, 3),
        ({"explorer": {"rollout_model": {"engine_num": "${oc.env:N}"}}}, 1),
    ],
)
def test_as_many_gpus_are_reserved_as_the_config_asks_for(config, gpus):
    from djsandbox_trinity.config_check import gpus_needed

    assert gpus_needed(config) == gpus
