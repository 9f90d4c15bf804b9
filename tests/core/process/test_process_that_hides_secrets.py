"""The process that keeps secrets out of logs: how many there are, what others see of it, and what becomes of us without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.process.capture import CaptureLost, captured

SECRET = "s3cret-value"

BecomesTrue = Callable[[Callable[[], bool]], bool]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "job.log"


def scrubbers() -> list[int]:
    """The processes of ours that hide secrets."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"scrubber.py" in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_the_secrets_are_neither_in_its_arguments_nor_in_its_environment(
    log: Path, monkeypatch: pytest.MonkeyPatch, becomes_true: BecomesTrue
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with captured(log, {SECRET, "so that it is started now"}):
        assert becomes_true(lambda: len(scrubbers()) == 1)
        [scrubber] = scrubbers()
        seen = b"".join(Path(f"/proc/{scrubber}/{file}").read_bytes() for file in ("cmdline", "environ"))
    assert b"scrubber.py" in seen
    assert SECRET.encode() not in seen


def test_one_process_serves_all_logs_with_the_same_secrets_and_another_one_others(log: Path, becomes_true: BecomesTrue) -> None:
    with captured(log, {SECRET}):
        assert becomes_true(lambda: len(scrubbers()) == 1)
    used = set(scrubbers())
    for number in range(3):
        with captured(log.with_name(str(number)), {SECRET}):
            assert set(scrubbers()) == used
    with captured(log, {SECRET, "another"}):
        assert becomes_true(lambda: len(scrubbers()) == 1 and used.isdisjoint(scrubbers()))


def test_a_job_outlives_the_process_that_hides_its_secrets_and_the_log_says_that_some_is_missing(log: Path) -> None:
    with captured(log, {SECRET}) as capture:
        print(f"before {SECRET}")
        capture.sync()
        [killed] = scrubbers()
        os.kill(killed, signal.SIGKILL)
        subprocess.run(["sh", "-c", f"for i in 1 2 3; do echo {SECRET} $i; done"], check=True)
        capture.sync()
        print(f"after {SECRET}")
    text = log.read_text()
    assert text.startswith("before ***\n")
    assert "was killed: some of what was printed is missing here" in text
    assert text.endswith("after ***\n")
    assert SECRET not in text
    with captured(log.with_name("next"), {SECRET}):
        print("nothing is missing")
    assert log.with_name("next").read_text() == "nothing is missing\n"


def test_where_it_is_killed_between_two_jobs_the_next_one_misses_nothing(log: Path, becomes_true: BecomesTrue) -> None:
    with captured(log, {SECRET}):
        print("of the first")
    [killed] = scrubbers()
    os.kill(killed, signal.SIGKILL)
    with captured(log, {SECRET}):
        print(f"of the second: {SECRET}")
    assert log.read_text().startswith("of the first\n")
    assert SECRET not in log.read_text()
    assert becomes_true(lambda: killed not in scrubbers())


def test_where_it_is_killed_again_and_again_the_job_is_not_kept_waiting_but_fails(log: Path, becomes_true: BecomesTrue) -> None:
    def kill(known: list[int]) -> bool:
        found = [pid for pid in scrubbers() if pid not in known]
        for pid in found:
            known.append(pid)
            os.kill(pid, signal.SIGKILL)
        return bool(found) or capture.is_lost

    with pytest.raises(CaptureLost, match="killed again and again"), captured(log, {SECRET}) as capture:
        known: list[int] = []
        while not capture.is_lost:
            assert becomes_true(lambda: kill(known))
        os.write(1, b"x" * 1_000_000)
    assert SECRET not in log.read_text()


def test_a_full_disk_fails_nobody_who_prints() -> None:
    with captured(Path("/dev/full"), {SECRET}):
        print("x" * 1_000_000)


def test_where_there_is_nothing_to_hide_no_process_stands_between(log: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from djsandbox.process.capture import captured
with captured(Path(sys.argv[1])):
    print(os.path.samestat(os.fstat(1), os.stat(sys.argv[1])))
"""
    subprocess.run([sys.executable, "-c", code, str(log)], check=True)
    assert log.read_text() == "True\n"
