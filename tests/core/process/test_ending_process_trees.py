from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.process import running as running_module
from djsandbox.process import supervisor
from djsandbox.process.command import Command
from djsandbox.process.failures import ProcessStopped, ProcessTimedOut
from djsandbox.process.running import run, start

own_sessions = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells what a process in its own session belongs to"
)
Becomes = Callable[[Callable[[], bool]], bool]

ENGINE = """
import json, os, sys, time
from pathlib import Path
from djsandbox.process.command import Command
from djsandbox.process.running import run
argv, log, grace, forks = json.loads(sys.argv[1])
def show(line):
    print(line, flush=True)
    if forks and line == "deaf" and os.fork() == 0:  # holds all of our pipes open after our death
        print("forked", os.getpid(), flush=True)
        time.sleep(10000)
try:
    run(Command(tuple(argv), log_file=Path(log), grace=grace), show)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def engine(argv: tuple[str, ...], log: Path, *, grace: float, forks: bool = False) -> subprocess.Popen[str]:
    given = json.dumps([argv, str(log), grace, forks])
    return subprocess.Popen([sys.executable, "-c", ENGINE, given], stdout=subprocess.PIPE, text=True, start_new_session=True)


def read_until(process: subprocess.Popen[str], done: Callable[[], bool], see: Callable[[str], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        see(line.rstrip("\n"))
        if done():
            return
    raise AssertionError("the engine ended before its tree stood")


@own_sessions
def test_stop_from_another_thread_ends_the_whole_tree(tree: tuple[str, ...], census: Any) -> None:
    threads: list[threading.Thread] = []

    def stop_elsewhere() -> None:
        threads.append(threading.Thread(target=running.stop))
        threads[0].start()

    everybody = census(stop_elsewhere)
    running = start(Command(tree, grace=0.2), everybody)
    with pytest.raises(ProcessStopped):
        running.wait(check=False)
    threads[0].join()
    assert everybody.complete
    assert everybody.left() == []
    running.stop()  # and once more does no harm
    with pytest.raises(ProcessStopped):
        running.wait()


@own_sessions
def test_a_timeout_ends_the_whole_tree(tree: tuple[str, ...], census: Any) -> None:
    for timeout in (0.5, 2, 8, 32):  # the first that lets the tree stand up before it ends
        everybody = census()
        with pytest.raises(ProcessTimedOut):
            run(Command(tree, grace=0.2, timeout=timeout), everybody)
        assert everybody.left() == []
        if everybody.complete:
            return
    raise AssertionError("the tree never stood up")


@own_sessions
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_the_whole_tree_and_passes_on(
    tree: tuple[str, ...], census: Any, interruption: type[BaseException]
) -> None:
    def interrupt() -> None:
        raise interruption

    everybody = census(interrupt)
    with pytest.raises(interruption):
        run(Command(tree, grace=0.2), everybody)
    assert everybody.complete
    assert everybody.left() == []


@own_sessions
def test_ctrl_c_on_the_engine_ends_the_whole_tree(tree: tuple[str, ...], census: Any, tmp_path: Path) -> None:
    everybody = census()
    with engine(tree, tmp_path / "log", grace=0.2) as process:
        read_until(process, lambda: everybody.complete, everybody)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    assert "interrupted" in rest
    assert process.returncode == 0
    assert everybody.left() == []


@own_sessions
def test_a_second_ctrl_c_does_not_wait_for_the_grace(tmp_path: Path, becomes_true: Becomes) -> None:
    deaf = ("sh", "-c", "trap 'echo asked' TERM; echo pid $$; while :; do sleep 0.05; done")
    log = tmp_path / "log"
    with engine(deaf, log, grace=10_000) as process:
        read_until(process, lambda: True, lambda line: None)
        process.send_signal(signal.SIGINT)
        assert becomes_true(lambda: "asked" in log.read_text())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 0


@own_sessions
@pytest.mark.parametrize("forks", [False, True], ids=["alone", "with a forked child that holds its files"])
def test_the_whole_tree_ends_when_the_engine_is_killed(
    tree: tuple[str, ...],
    census: Any,
    tmp_path: Path,
    becomes_true: Becomes,
    process_runs: Callable[[int], bool],
    forks: bool,
) -> None:
    everybody = census()
    forked: list[int] = []

    def see(line: str) -> None:
        everybody(line)
        if line.startswith("forked"):
            forked.append(int(line.split()[1]))

    process = engine(tree, tmp_path / "log", grace=0.2, forks=forks)
    try:
        read_until(process, lambda: everybody.complete and len(forked) == forks, see)
        process.kill()
        process.wait()
        assert becomes_true(lambda: not everybody.left())
        assert becomes_true(lambda: not process_runs(everybody.supervisor))
    finally:
        for pid in forked:
            os.kill(pid, signal.SIGKILL)
        assert process.stdout is not None
        process.stdout.close()


@own_sessions
def test_an_engine_killed_at_any_moment_of_the_start_leaves_nothing(tmp_path: Path, becomes_true: Becomes) -> None:
    mark = f"djsandbox-test-{os.getpid()}-{tmp_path.name}"

    def marked() -> list[str]:
        found = []
        for folder in Path("/proc").iterdir():
            try:
                command, state = (folder / "cmdline").read_text(), (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if folder.name.isdigit() and state != "Z" and mark in command and "Command(" not in command:
                found.append(command)
        return found

    for moment in range(8):
        process = engine(("sh", "-c", "sleep 1000 & wait", mark), tmp_path / "log", grace=0.1)
        assert process.stdout is not None
        try:
            process.wait(timeout=0.08 + 0.02 * moment)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
    assert becomes_true(lambda: not marked())


@own_sessions
def test_what_a_command_leaves_behind_ends_with_it(census: Any) -> None:
    daemon = "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.setsid()\n"
    daemon += "os.write(1, f'pid {os.getpid()}\\n'.encode())\nos.close(1)\nos.close(2)\nwhile True: time.sleep(60)"
    launcher = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {daemon!r}], stdout=subprocess.PIPE)\n"
    launcher += "print(child.stdout.readline().decode(), end='')\nprint('deaf')"
    everybody = census(size=1)
    assert run(Command((sys.executable, "-c", launcher), grace=0.2), everybody).returncode == 0
    assert everybody.complete
    assert everybody.left() == []


@own_sessions
def test_what_ends_by_itself_soon_after_the_command_is_left_to_do_so(tmp_path: Path) -> None:
    late = f"trap 'echo hurried > {tmp_path}/out' TERM; sleep 0.2; echo done >> {tmp_path}/out"
    run(Command(("sh", "-c", f'setsid sh -c "{late}" & exit 0')))
    assert (tmp_path / "out").read_text() == "done\n"


@own_sessions
def test_a_suspended_process_ends_without_being_killed() -> None:
    running = start(Command(("sh", "-c", "trap 'echo asked; exit 7' TERM; echo now; kill -STOP $$; sleep 1000"), grace=10_000))
    watcher = threading.Thread(target=lambda: (wait_for_state(running.pid, "T"), running.stop()))
    watcher.start()
    with pytest.raises(ProcessStopped) as stopped:
        running.wait()
    watcher.join()
    assert stopped.value.completed.last_lines[:2] == ("now", "asked")


def wait_for_state(pid: int, state: str) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        pass


def test_a_process_may_use_the_grace_to_end_well(tmp_path: Path) -> None:
    code = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (print('saved'), sys.exit(0)))\nprint('ready')\n"
    running = start(
        Command((sys.executable, "-c", code + "while True: time.sleep(60)"), grace=10_000, log_file=tmp_path / "log"),
        lambda line: running.stop() if line == "ready" else None,
    )
    with pytest.raises(ProcessStopped):
        running.wait()
    assert (tmp_path / "log").read_text() == "ready\nsaved\n"


def test_stop_at_once_gives_no_grace() -> None:
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\nwhile True: time.sleep(60)"
    running = start(Command((sys.executable, "-c", code), grace=10_000), lambda line: running.stop(at_once=True))
    with pytest.raises(ProcessStopped) as stopped:
        running.wait()
    assert stopped.value.completed.returncode == -signal.SIGKILL


def test_stop_after_the_end_changes_nothing() -> None:
    running = start(Command(("true",)))
    assert running.wait().returncode == 0
    running.stop()
    assert running.wait().returncode == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_command_that_is_given_up_is_ended(becomes_true: Becomes, process_exists: Callable[[int], bool]) -> None:
    pid = start(Command(("sleep", "1000"), grace=0.2)).pid
    assert becomes_true(lambda: not process_exists(pid))


def test_where_there_is_no_subreaper_the_process_group_is_ended(
    monkeypatch: pytest.MonkeyPatch, process_exists: Callable[[int], bool], becomes_true: Becomes
) -> None:
    load = f"import runpy, sys; m = runpy.run_path({supervisor.__file__!r}); "
    load += "m['main'].__globals__['become_subreaper'] = lambda: False; m['main']()"
    monkeypatch.setattr(running_module, "_SUPERVISOR", ("-I", "-S", "-c", load))
    pids: list[int] = []

    def see(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            running.stop()

    running = start(Command(("sh", "-c", "sh -c 'echo $$; exec sleep 1000' & echo $$; wait"), grace=0.2), see)
    with pytest.raises(ProcessStopped):
        running.wait()
    assert becomes_true(lambda: not any(process_exists(pid) for pid in pids))
