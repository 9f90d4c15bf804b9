"""The launcher of this machine: CPUs and GPUs handed out, none twice, and given back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from djsandbox import Attempt, AttemptStopped, SandboxError, Task
from djsandbox.engine.launching import devices
from djsandbox.engine.launching.local import LocalLauncher
from djsandbox.engine.launching.slots import ClosedError, Slots
from djsandbox.process.failures import ProcessFailed, ProcessTimedOut


def launcher(**config: Any) -> LocalLauncher:
    return LocalLauncher(LocalLauncher.Config(**{"cpus": 8, **config}))


def shell(script: str, name: str = "one", **needs: Any) -> Task:
    return Task(name, ("sh", "-c", script), ("out",), **needs)


def nothing(*arguments: object) -> None:
    pass


def said_by(local: LocalLauncher, task: Task) -> list[str]:
    lines: list[str] = []
    local.run(Attempt(task, "job"), nothing, lines.append)
    return lines


SHOW = 'echo "[$CUDA_VISIBLE_DEVICES]"'


@pytest.fixture
def without_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(devices.shutil, "which", lambda program: None)
    monkeypatch.setattr(devices, "_GPU_FOLDERS", tmp_path / "none")


def test_gpus_are_handed_out_by_the_names_that_cuda_visible_devices_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-abc")
    with launcher() as local:
        assert said_by(local, shell(SHOW, gpus=1)) == ["[3]"]
        assert said_by(local, shell(SHOW, gpus=2)) == ["[3,GPU-abc]"]
        assert said_by(local, shell(SHOW)) == ["[]"]


def test_no_gpu_is_handed_out_twice_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    meet = f"{SHOW}; touch {tmp_path}/$0; while [ $(ls {tmp_path} | wc -l) -lt 2 ]; do sleep 0.01; done"
    tasks = [Task(name, ("sh", "-c", meet, name), ("out",), gpus=1, timeout=100) for name in "ab"]
    said: list[str] = []
    with launcher() as local:
        threads = [threading.Thread(target=lambda task=task: said.extend(said_by(local, task))) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(said) == ["[5]", "[7]"]


def test_a_task_that_wants_more_gpus_than_there_are_can_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with launcher() as local:
        assert local.problem_with(shell(SHOW, gpus=2)) is None
        assert local.problem_with(shell(SHOW, gpus=3)) == "it needs 3 GPUs, and these are all there are: 0, 1"
        assert "it needs 9 CPUs, and there are 8" in str(local.problem_with(shell(SHOW, cpus=9)))


@pytest.mark.parametrize("given", ["", "-1", " "])
def test_where_no_gpu_is_visible_none_is_handed_out_and_tasks_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    with launcher() as local:
        assert local.problem_with(shell(SHOW, gpus=4)) is None
        assert said_by(local, shell(SHOW, gpus=4)) == ["[]"]


@pytest.mark.usefixtures("without_gpus")
def test_a_machine_without_gpus_has_none() -> None:
    assert devices.visible_gpus() == []


def test_fewer_gpus_are_shared_out_where_the_config_says_so_but_never_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    with launcher(gpus=1) as local:
        assert said_by(local, shell(SHOW, gpus=1)) == ["[0]"]
        assert local.problem_with(shell(SHOW, gpus=2)) is not None
    with launcher(gpus=0) as local:
        assert said_by(local, shell(SHOW, gpus=2)) == ["[]"]
    with launcher(gpus=4) as local, pytest.raises(SandboxError, match="share out 4 GPUs, and there are 3"):
        local.problem_with(shell(SHOW, gpus=1))


@pytest.mark.parametrize(
    ("listing", "names"),
    [
        ("GPU 0: NVIDIA H200 (UUID: GPU-11)\nGPU 1: NVIDIA H200 (UUID: GPU-22)\n", ["0", "1"]),
        (
            "GPU 0: NVIDIA H200 (UUID: GPU-11)\n  MIG 1g.18gb Device 0: (UUID: MIG-a)\n  MIG 1g.18gb Device 1: (UUID: MIG-b)\n"
            "GPU 1: NVIDIA H200 (UUID: GPU-22)\n",
            ["MIG-a", "MIG-b", "GPU-22"],
        ),
        ("", []),
    ],
    ids=["whole ones", "one is divided", "none"],
)
def test_gpus_are_found_as_the_driver_lists_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listing: str, names: Sequence[str]
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}END\n")
    tool.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert devices.visible_gpus() == names


@pytest.mark.parametrize(
    ("given", "names"),
    [("0,1", ["0", "1"]), ("1, 0", ["1", "0"]), ("0,0", ["0"]), ("0,-1,2", ["0"]), ("MIG-a,MIG-b", ["MIG-a", "MIG-b"])],
)
def test_cuda_visible_devices_is_read_as_cuda_does(monkeypatch: pytest.MonkeyPatch, given: str, names: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert devices.visible_gpus() == names


@pytest.mark.gpu
def test_a_gpu_of_this_machine_is_handed_out_and_can_be_seen() -> None:
    with launcher() as local:
        assert devices.visible_gpus()
        assert said_by(local, shell(f"{SHOW}; nvidia-smi -L -i $CUDA_VISIBLE_DEVICES | grep -c GPU", gpus=1))[-1] == "1"


@pytest.mark.parametrize(("limit", "cpus"), [("150000 100000", 1), ("50000 100000", 1), ("max 100000", None)])
def test_a_control_group_limits_the_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, cpus: int | None) -> None:
    monkeypatch.setattr(devices, "_CGROUP_LIMIT", tmp_path / "none")
    free = devices.usable_cpus()
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    monkeypatch.setattr(devices, "_CGROUP_LIMIT", tmp_path / "cpu.max")
    assert devices.usable_cpus() == (free if cpus is None else cpus)


# -- slots -------------------------------------------------------------------------------------------------------------------


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_who_needs_much_is_not_overtaken_for_ever_by_those_who_need_little() -> None:
    slots = Slots(places=9, cpus=2)
    order: list[str] = []

    def borrow(name: str, cpus: int) -> None:
        with slots.lent(cpus, 0):
            order.append(name)

    with slots.lent(1, 0):
        large = in_thread(lambda: borrow("large", 2))
        while len(slots._queue) < 1:
            pass
        small = in_thread(lambda: borrow("small", 1))
        while len(slots._queue) < 2:
            pass
        assert order == []
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_everything_comes_back_also_after_an_error() -> None:
    slots = Slots(places=1, cpus=1)
    slots.add_gpus(["0", "1"])
    for _ in range(3):
        with pytest.raises(KeyError), slots.lent(1, 2) as names:
            assert names == ("0", "1")
            raise KeyError


def test_closing_sends_everybody_away() -> None:
    slots = Slots(places=1, cpus=1)
    sent_away: list[bool] = []

    def borrow() -> None:
        try:
            with slots.lent(1, 0):
                pass
        except ClosedError:
            sent_away.append(True)

    with slots.lent(1, 0):
        waiting = in_thread(borrow)
        while not slots._queue:
            pass
        slots.close()
        waiting.join()
    borrow()
    assert sent_away == [True, True]


# -- attempts ----------------------------------------------------------------------------------------------------------------


def test_an_attempt_that_fails_or_takes_too_long_says_so(tmp_path: Path) -> None:
    with launcher() as local:
        with pytest.raises(ProcessFailed, match="exit code 3"):
            said_by(local, shell("exit 3"))
        with pytest.raises(ProcessTimedOut):
            local.run(Attempt(shell("sleep 1000"), "job", timeout=0.1), nothing, nothing)


def test_stopping_ends_what_runs_and_what_would_begin(tmp_path: Path) -> None:
    with launcher(max_parallel=1) as local:

        def stop_at_first_line(line: str) -> None:
            local.stop()

        with pytest.raises(AttemptStopped, match="'one' was stopped"):
            local.run(Attempt(shell("echo here; exec sleep 1000"), "job"), nothing, stop_at_first_line)
        began: list[bool] = []
        with pytest.raises(AttemptStopped, match="'two' was not begun"):
            local.run(Attempt(shell("true", "two"), "job"), lambda: began.append(True), nothing)
        assert began == []
    with local:  # connected again, it works again
        assert said_by(local, shell("echo again")) == ["again"]


def test_stopping_waits_for_what_is_just_starting_so_that_it_is_told_too() -> None:
    starting, may_start = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow(Attempt):
        def start(self, *arguments: Any, **options: Any) -> Any:
            starting.set()
            may_start.wait()
            running = super().start(*arguments, **options)
            order.append("started")
            return running

    def stop() -> None:
        may_start.set()
        local.stop(at_once=True)
        order.append("stopped")

    with launcher() as local:
        stopping = threading.Thread(target=lambda: (starting.wait(), stop()))
        stopping.start()
        with pytest.raises(AttemptStopped):
            local.run(Slow(shell("trap '' TERM; while :; do sleep 1; done"), "job"), nothing, nothing)
        stopping.join()
    assert order == ["started", "stopped"]


def test_by_default_as_many_tasks_run_at_once_as_there_are_cpus() -> None:
    assert LocalLauncher(LocalLauncher.Config()).max_parallel == devices.usable_cpus()
    assert launcher(cpus=5).max_parallel == 5
    assert launcher(cpus=5, max_parallel=2).max_parallel == 2
