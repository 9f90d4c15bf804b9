"""A half-done job is taken up where it was, also after the engine was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobFailed

GOOD = ["A brown dog resting near the old wall."] * 8


def _alive(text: str) -> list[int]:
    """Processes that have `text` in their command lines."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if text.encode() in command and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def _wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_after_kill_9_no_process_is_left_and_only_the_unfinished_training_runs_again(
    sandbox, train_job, captions, tmp_path
) -> None:
    launcher = {"type": "local", "max_parallel": 2}
    slow = sandbox(train_job([captions("quick", GOOD), captions("late", GOOD * 4)], "slow:late", launcher=launcher))
    # in a group of its own, as if a user had started it
    engine = subprocess.Popen(
        [sys.executable, "-m", "djsandbox", "run", str(slow)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    quick, late = (str(tmp_path / f"models/{name}_meta_InternVL2-1B") for name in ("quick", "late"))
    journal = tmp_path / "work"
    try:
        _wait_for(lambda: Path(quick, "trainer_state.json").exists(), "the quick training did not end")
        _wait_for(lambda: any("task_finished" in path.read_text() for path in journal.rglob("*.jsonl")), "it was not recorded")
        _wait_for(lambda: _alive(late), "the late training did not begin")
    finally:
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    _wait_for(lambda: not _alive(late), "processes of the killed run are left")
    before = Path(quick, "model.safetensors").stat().st_mtime_ns
    result = djsandbox.run(slow, resume=True)
    assert Path(quick, "model.safetensors").stat().st_mtime_ns == before
    (job,) = result.context["anonymous"]
    assert job["models"] == [quick, late] and Path(late, "model.safetensors").is_file()


def test_an_evaluation_that_had_finished_is_not_repeated(sandbox, train_job, evaluate_job, captions, tmp_path) -> None:
    trained = djsandbox.run(sandbox(train_job([captions(name, GOOD) for name in ("one", "two")])))
    models = trained.context["anonymous"][0]["models"]
    config = sandbox(
        evaluate_job(
            "crash-once:two",
            ckpt_paths=models,
            export_path=str(tmp_path / "out"),
            launcher={"type": "local", "max_parallel": 1},
        )
    )
    with pytest.raises(JobFailed, match="two_meta_InternVL2-1B"):
        djsandbox.run(config)
    (finished,) = (tmp_path / "out").rglob("scores.json")
    before = finished.stat().st_mtime_ns
    result = djsandbox.run(config, resume=True)
    assert len(result.context["anonymous"][0]["scores"]) == 2 and finished.stat().st_mtime_ns == before
