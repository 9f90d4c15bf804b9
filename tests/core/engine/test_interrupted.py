import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from djsandbox.errors import ConfigError

Lab = Any

FORK = """        import multiprocessing

        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        worker.start()
        note(f"hang {worker.pid}")
"""

SLOW = """
    evaluation_job_configs:
      - {hook: EvaluateDataHook, output: a, extra_configs: {type: "./parts.py:Give", value: 1}}
      - {hook: EvaluateDataHook, output: b, extra_configs: {type: "./parts.py:Hang"}}
      - {hook: EvaluateDataHook, output: c, extra_configs: {type: "./parts.py:Give", value: 3}}
"""


HANG = """
import os, time


class Hang(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        note("hang")
        while os.path.exists("hang"):
            time.sleep(0.01)
        return 2


"""


def start_hanging(lab: Lab) -> subprocess.Popen[str]:
    """A run that hangs in its second job, in a process of its own."""
    lab.edit_parts("class Fail(", HANG + "class Fail(")
    (lab.folder / "hang").touch()
    lab.write(SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"], cwd=lab.folder, stderr=subprocess.PIPE, text=True
    )
    log = lab.folder / "calls.log"
    while not (log.exists() and "hang" in log.read_text()):
        assert process.poll() is None
        os.sched_yield()
    return process


def test_a_run_killed_at_once_goes_on_at_the_job_it_was_in(lab: Lab) -> None:
    process = start_hanging(lab)
    process.kill()
    process.communicate()
    assert lab.calls() == ["give 1", "hang"]
    (lab.folder / "hang").unlink()
    lab.run(resume=True)
    assert lab.calls() == ["hang", "give 3"]
    assert lab.context_infos() == {"anonymous": [{"meta_name": "", name: at} for at, name in enumerate("abc", start=1)]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_is_journalled_and_goes_on_later(lab: Lab, number: signal.Signals) -> None:
    process = start_hanging(lab)
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert [event["event"] for event in lab.journal()][-2:] == ["job_interrupted", "run_finished"]
    assert lab.journal()[-1]["status"] == "interrupted"
    lab.calls()
    (lab.folder / "hang").unlink()
    lab.run(resume=True)
    assert lab.calls() == ["hang", "give 3"]


def test_a_second_run_in_the_same_work_dir_is_refused(lab: Lab) -> None:
    process = start_hanging(lab)
    with pytest.raises(ConfigError, match=str(process.pid)):
        lab.run()
    process.kill()
    process.communicate()


def test_a_half_written_last_line_of_the_journal_is_ignored(lab: Lab) -> None:
    lab.run(lab.GIVE)
    with (lab.work_dir / "journal.jsonl").open("a") as journal:
        journal.write('{"event": "job_fin')
    lab.calls()
    lab.run(lab.GIVE, resume=True)
    assert lab.calls() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends forked processes with their parent")
def test_forked_workers_die_with_a_killed_run(lab: Lab) -> None:
    lab.edit_parts("class Fail(", HANG.replace('        note("hang")\n', FORK) + "class Fail(")
    (lab.folder / "hang").touch()
    lab.write(SLOW)
    process = subprocess.Popen([sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"], cwd=lab.folder)
    log = lab.folder / "calls.log"
    while not (log.exists() and "hang" in log.read_text() and log.read_text().endswith("\n")):
        assert process.poll() is None
        os.sched_yield()
    worker = int(lab.calls()[-1].split()[1])
    process.kill()
    process.wait()
    while lab.process_runs(worker):
        os.sched_yield()


LEAVE = """        import multiprocessing

        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,), daemon=True)
        worker.start()
        note(f"hang {worker.pid}")
"""


def test_a_run_ends_although_a_forked_worker_is_left(lab: Lab) -> None:
    lab.edit_parts("class Fail(", HANG.replace('        note("hang")\n', LEAVE) + "class Fail(")
    lab.write(SLOW)
    command = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"]
    done = subprocess.run(command, cwd=lab.folder, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert not lab.process_runs(int(lab.calls()[1].split()[1]))


POOL = """        import multiprocessing

        with multiprocessing.get_context("fork").Pool(2) as pool:
            note("hang")
            pool.map(time.sleep, [600, 600])
"""


@pytest.mark.parametrize(
    ("send", "number"),
    [(os.kill, signal.SIGINT), (os.kill, signal.SIGTERM), (os.killpg, signal.SIGINT)],
    ids=["Ctrl-C to the process", "SIGTERM to the process", "Ctrl-C to its group"],
)
def test_a_run_with_a_pool_of_workers_can_be_interrupted(lab: Lab, send: Any, number: signal.Signals) -> None:
    process = start_pool(lab)
    send(process.pid, number)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert lab.journal()[-1]["status"] == "interrupted"


def test_a_second_signal_ends_the_run_at_once(lab: Lab) -> None:
    process = start_pool(lab)
    os.killpg(process.pid, signal.SIGTERM)  # the pool waits for ever for workers that are dead
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130


def start_pool(lab: Lab) -> subprocess.Popen[str]:
    """A run that hangs in a job with a pool of workers, in a process group of its own."""
    lab.edit_parts("class Fail(", HANG.replace('        note("hang")\n', POOL) + "class Fail(")
    (lab.folder / "hang").touch()
    lab.write(SLOW)
    program = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"]
    process = subprocess.Popen(program, cwd=lab.folder, stderr=subprocess.PIPE, text=True, start_new_session=True)
    log = lab.folder / "calls.log"
    while not (log.exists() and "hang" in log.read_text()):
        assert process.poll() is None
        os.sched_yield()
    return process
