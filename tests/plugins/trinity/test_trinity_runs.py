"""Several trainings of a job: at once, resumed one by one, and after the engine was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from djsandbox import JobFailed


def pool(folder: Path, name: str, *, right: int = 8) -> str:
    rows = [{"question": f"{n} + 1", "answer": str(n + 1 if n < right else -1)} for n in range(8)]
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def test_each_pool_trains_a_model_of_its_own_and_results_keep_their_order(sandbox, no_head_is_left):
    pools = [pool(sandbox.folder, "good.jsonl"), pool(sandbox.folder, "bad.jsonl", right=2)]
    good, bad = sandbox.run(taskset_paths=pools, launcher={"type": "local", "max_parallel": 2})
    assert ("good" in Path(good).parts, "bad" in Path(bad).parts) == (True, True)
    assert sandbox.metric("rft.good.critic/rewards/mean") > sandbox.metric("rft.bad.critic/rewards/mean")


def test_two_pools_of_one_name_do_not_share_a_folder(sandbox):
    one, other = sandbox.folder / "one", sandbox.folder / "other"
    one.mkdir()
    other.mkdir()
    pools = [pool(one, "a.jsonl"), pool(other, "a.jsonl", right=1)]
    first, second = sandbox.run(taskset_paths=pools)
    assert first != second
    assert sandbox.metric("rft.one_a.critic/rewards/mean") > sandbox.metric("rft.other_a.critic/rewards/mean")


def test_a_folder_of_data_is_used_as_it_is(sandbox):
    (model,) = sandbox.run(taskset_paths=[str(sandbox.folder / "taskset")])
    assert Path(model).is_dir()


def test_in_the_mode_train_the_pool_takes_the_place_of_the_experiences(sandbox):
    import yaml

    with pytest.raises(JobFailed):  # the stand-in knows tasksets only
        sandbox.run(
            taskset_paths=[pool(sandbox.folder, "a.jsonl")], overrides={"mode": "train", "buffer": {"explorer_input": None}}
        )
    written = yaml.safe_load(next((sandbox.folder / "work" / "jobs").rglob("a.yaml")).read_text())
    assert written["buffer"]["trainer_input"]["experience_buffer"]["path"].endswith("/tasksets/a")


def test_finished_trainings_are_not_repeated_and_a_changed_pool_is_trained_on_again(sandbox):
    pools = [pool(sandbox.folder, "a.jsonl"), pool(sandbox.folder, "b.jsonl")]
    before = sandbox.run(taskset_paths=pools, checkpoint_root_dir="./checkpoints")
    assert sandbox.run(taskset_paths=pools, checkpoint_root_dir="./checkpoints", resume=True) == before
    assert len(list(sandbox.folder.glob("checkpoints/*/attempt_*"))) == 2
    pool(sandbox.folder, "b.jsonl", right=1)
    after = sandbox.run(taskset_paths=pools, checkpoint_root_dir="./checkpoints", resume=True)
    assert after[1] != before[1]


def test_a_pool_that_gives_no_step_trains_nothing_and_that_is_a_failure(sandbox):
    empty = sandbox.folder / "empty.jsonl"
    empty.write_text("")
    pools = [pool(sandbox.folder, "good.jsonl"), str(empty)]
    sandbox.trinity["buffer"]["total_steps"] = None
    with pytest.raises(JobFailed, match=r"task 'empty' failed.*not a single step"):
        sandbox.run(taskset_paths=pools, on_failure="finish_others")


@pytest.mark.slow
def test_after_the_engine_is_killed_nothing_lives_on_and_finished_trainings_are_kept(sandbox, no_head_is_left):
    pools = [pool(sandbox.folder, f"{name}.jsonl") for name in "abc"]
    folders_of_ray = set(Path("/tmp").glob("djr-*"))
    path = sandbox.write(taskset_paths=pools, launcher={"type": "local", "max_parallel": 1})
    text = path.read_text().replace("DJSANDBOX_STANDIN_PACE: '0.01'", "DJSANDBOX_STANDIN_PACE: '0.3'")
    path.write_text(text)
    engine = subprocess.Popen(
        [sys.executable, "-m", "djsandbox", "run", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    second = sandbox.folder / "work" / "jobs"
    wait_for(lambda: any(note.parent.name == "b" for note in second.rglob("run.json")))
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    wait_for(lambda: not running(str(sandbox.folder)))
    assert set(Path("/tmp").glob("djr-*")) <= folders_of_ray
    done = subprocess.run(
        [sys.executable, "-m", "djsandbox", "run", str(path), "--resume"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    models = sandbox.models()
    assert [Path(model).is_dir() for model in models] == [True, True, True]
    tried = {name: len(list(second.rglob(f"checkpoints/{name}/attempt_*"))) for name in "abc"}
    assert tried["a"] == 1
    steps = [event["step"] for event in sandbox.journalled_metrics() if event["name"] == "rft.a.actor/final_loss"]
    assert steps == [1, 2, 3, 4]


def running(text: str) -> bool:
    return subprocess.run(["pgrep", "-f", text], capture_output=True, check=False).stdout != b""


def wait_for(condition) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
