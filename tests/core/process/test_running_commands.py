from __future__ import annotations

import errno
import hashlib
import os
import signal
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.process.command import Command
from djsandbox.process.failures import ProcessFailed, ProcessNotStarted, ProcessTimedOut, SupervisorLost
from djsandbox.process.running import run, start


def python(code: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *args)


def test_hostile_arguments_arrive_unchanged() -> None:
    args = (
        "it's",
        '"',
        "$HOME;echo",
        "`id`",
        "$(id)",
        "two\nlines",
        "ü漢🐍",
        "",
        " ",
        "*",
        "\\",
        "-c",
        "\udcff",
        "a" * 100_000,
    )
    code = "import os, sys, hashlib; [print(hashlib.sha256(os.fsencode(arg)).hexdigest()) for arg in sys.argv[1:]]"
    assert run(Command(python(code, *args))).last_lines == tuple(hashlib.sha256(os.fsencode(arg)).hexdigest() for arg in args)


def test_a_program_runs_in_its_folder_and_is_found_on_its_own_path(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "greet it's"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\npwd\n")
    program.chmod(0o755)
    work = tmp_path / "a folder"
    work.mkdir()
    done = run(Command(("greet it's",), cwd=work, env={"PATH": f"{program.parent}:/usr/bin:/bin"}))
    assert done.last_lines == (str(work),)


def test_a_python_file_in_the_folder_does_not_get_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "signal", "select"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run(Command(("echo", "fine"))).last_lines == ("fine",)


def test_output_and_errors_come_in_the_order_they_were_written() -> None:
    done = run(Command(("sh", "-c", "echo 1; echo 2 >&2; echo 3; printf 4 >&2")))
    assert done.last_lines == ("1", "2", "3", "4")


def test_a_command_reads_nothing_and_inherits_no_file_and_no_ignored_signal(tmp_path: Path) -> None:
    with (tmp_path / "held").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        code = "import os, sys; print(sys.stdin.read() == '', [fd for fd in range(3, 200) if os.path.exists(f'/dev/fd/{fd}')])"
        assert run(Command(python(code))).last_lines == ("True []",)
    if sys.platform == "linux":
        ignored = run(Command(("grep", "SigIgn", "/proc/self/status"))).last_lines[0].split()[1]
        assert int(ignored, 16) & (1 << (signal.SIGPIPE - 1)) == 0


@pytest.mark.parametrize("end", [r"\r", r"\n"])
def test_lines_arrive_one_by_one_while_the_process_still_runs(tmp_path: Path, end: str) -> None:
    # Each step waits for the file that is only made when the step before has been seen, also in the log.
    log = tmp_path / "task.log"
    code = f"""
import pathlib, sys, time
for step in range(5):
    print(f"step {{step}}", end="{end}", flush=True)
    while not pathlib.Path(sys.argv[1], f"seen step {{step}}").exists():
        time.sleep(0.01)
"""

    def see(line: str) -> None:
        assert log.read_text().splitlines()[-1] == line
        (tmp_path / f"seen {line}").touch()

    done = run(Command(python(code, str(tmp_path)), timeout=120, log_file=log), see)
    assert done.last_lines == tuple(f"step {step}" for step in range(5))


def test_the_log_is_begun_anew_and_has_every_line(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "task.log"
    for last in (3, 2):
        run(Command(("seq", str(last)), log_file=log))
    assert log.read_text() == "1\n2\n"


def test_a_log_that_cannot_be_written_is_found_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        run(Command(("touch", str(tmp_path / "started")), log_file=tmp_path))
    assert not (tmp_path / "started").exists()


def test_large_output_does_not_fill_the_memory(tmp_path: Path) -> None:
    code = "import sys\nfor i in range(64): sys.stdout.write('x' * 262143 + '\\n' * (i % 2))"
    counted = 0

    def count(line: str) -> None:
        nonlocal counted
        counted += len(line)

    tracemalloc.start()
    run(Command(python(code), log_file=tmp_path / "log"), count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == 64 * 262143
    assert (tmp_path / "log").stat().st_size > counted
    assert peak < 6_000_000  # 50 kept lines of at most 64 KiB, and the buffers


@pytest.mark.parametrize("code", [1, 3, 127, 255])
def test_an_exit_code_is_an_error_that_tells_it_with_the_last_lines_and_the_log(tmp_path: Path, code: int) -> None:
    command = Command(("sh", "-c", f"seq 100; exit {code}"), log_file=tmp_path / "log")
    with pytest.raises(ProcessFailed, match=f"exit code {code} ") as failed:
        run(command)
    assert failed.value.completed.returncode == code
    assert "\n    100\n" in str(failed.value)
    assert str(tmp_path / "log") in str(failed.value)


def test_an_exit_code_is_a_result_where_nobody_checks() -> None:
    assert run(Command(("sh", "-c", "exit 3")), check=False).returncode == 3


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGINT"])
def test_a_signal_is_told_by_its_name(name: str) -> None:
    with pytest.raises(ProcessFailed, match=f"ended by {name} after") as failed:
        run(Command(("sh", "-c", f"kill -{name[3:]} $$")))
    assert failed.value.completed.returncode == -signal.Signals[name]


def test_what_cannot_be_started_is_told_with_what_to_do(tmp_path: Path) -> None:
    plain, no_program = tmp_path / "plain", tmp_path / "no_program"
    plain.touch(mode=0o644)
    no_program.write_text("text")
    no_program.chmod(0o755)
    for argv, cwd, number, text in [
        (("no-such-program",), None, errno.ENOENT, "not found on the PATH"),
        ((str(tmp_path / "none"),), None, errno.ENOENT, "No such file"),
        ((str(plain),), None, errno.EACCES, "make the file executable"),
        ((str(no_program),), None, errno.ENOEXEC, "name the interpreter"),
        (("true",), tmp_path / "nowhere", errno.ENOENT, "cannot run in"),
        (("true", "x" * 5_000_000), None, errno.E2BIG, "pass them in a file"),
    ]:
        with pytest.raises(ProcessNotStarted, match=text) as failed:
            run(Command(argv, cwd=cwd), check=False)
        assert failed.value.errno == number


@pytest.mark.parametrize("wrong", [{"argv": ()}, {"argv": ("",)}, {"argv": ("a\0b",)}, {"argv": ("a",), "env": {"A": "\0"}}])
def test_a_command_that_no_system_can_run_is_refused_when_it_is_made(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match=r"NUL|no program"):
        Command(**wrong)  # type: ignore[arg-type]


def test_a_timeout_is_an_error_also_where_nobody_checks() -> None:
    with pytest.raises(ProcessTimedOut, match=r"timeout of 0.1 s") as failed:
        run(Command(("sleep", "1000"), timeout=0.1), check=False)
    assert failed.value.completed.returncode == -signal.SIGTERM


def test_the_seconds_are_those_it_took() -> None:
    began = time.monotonic()
    done = run(Command(("sleep", "0.2")))
    assert 0.2 <= done.seconds <= time.monotonic() - began


def test_an_error_while_a_line_is_handled_stops_the_command_and_passes_on(process_exists: Callable[[int], bool]) -> None:
    running = start(Command(("sh", "-c", "echo one; exec sleep 1000")), lambda line: [][int(line == "one")])
    with pytest.raises(IndexError):
        running.wait()
    assert not process_exists(running.pid)


def test_several_commands_run_side_by_side_in_threads(tmp_path: Path) -> None:
    results: list[tuple[str, ...]] = []
    # Each waits for all: none would end if one had to wait for another.
    code = (
        "import os, sys, time\nopen(sys.argv[1], 'w').close()\nwhile len(os.listdir('.')) < 4: time.sleep(0.01)\nprint('all')"
    )

    def work(name: str) -> None:
        results.append(run(Command(python(code, name), cwd=tmp_path, timeout=120)).last_lines)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [("all",)] * 4


def test_nothing_is_left_open_and_no_zombie(process_exists: Callable[[int], bool]) -> None:
    supervisors: list[int] = []
    before = set(os.listdir("/dev/fd"))
    for argv in (("sh", "-c", "echo $PPID"), ("sh", "-c", "echo $PPID; exit 1"), ("sh", "-c", "echo $PPID; kill -9 $$")):
        run(Command(argv), lambda line: supervisors.append(int(line)), check=False)
    with pytest.raises(ProcessNotStarted):
        run(Command(("no-such-program",)))
    assert len(supervisors) == 3
    assert not any(process_exists(pid) for pid in supervisors)
    assert set(os.listdir("/dev/fd")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's help")
def test_when_the_supervisor_is_killed_so_is_the_command(
    process_runs: Callable[[int], bool], becomes_true: Callable[[Callable[[], bool]], bool]
) -> None:
    running = start(Command(("sh", "-c", "sleep 1000 & echo $PPID; wait")), lambda line: os.kill(int(line), signal.SIGKILL))
    with pytest.raises(SupervisorLost):
        running.wait(check=False)
    assert becomes_true(lambda: not process_runs(running.pid))
