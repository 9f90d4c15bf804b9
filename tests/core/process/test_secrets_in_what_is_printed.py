"""What a process prints while it is captured is in the log file, and no secret is, at no moment."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.process.capture import captured
from djsandbox.redact import secrets_in

SECRET = "s3cret-value"
KEY = "-----BEGIN KEY-----\n  abcdefgh\n  ijk\n-----END KEY-----"

BecomesTrue = Callable[[Callable[[], bool]], bool]


def fail_and_show(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logging.Logger("own").error("it failed", exc_info=True)  # has no handler: goes to stderr


WAYS: dict[str, Callable[[str], object]] = {
    "print": print,
    "print to stderr": lambda text: print(text, file=sys.stderr),
    "bytes": lambda text: sys.stdout.buffer.write(text.encode()),
    "the file descriptor": lambda text: os.write(1, text.encode()),
    "that of stderr": lambda text: os.write(2, text.encode()),
    "a child process": lambda text: subprocess.run(["printf", "%s", text], check=True),
    "a child of a child": lambda text: subprocess.run(["sh", "-c", 'sh -c "$0" "$1"', 'printf %s "$0"', text], check=True),
    "C": lambda text: ctypes.CDLL(None).printf(b"%s", text.encode()),
    "a traceback": fail_and_show,
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "job.log"


@pytest.mark.parametrize("way", WAYS)
def test_whoever_prints_a_secret_it_is_not_in_the_log(log: Path, way: str) -> None:
    with captured(log, {SECRET}):
        WAYS[way](f"before {SECRET} after")
    assert "before *** after" in log.read_text()
    assert SECRET not in log.read_text()


@pytest.mark.parametrize("way", WAYS)
def test_without_secrets_all_of_it_is_in_the_log(log: Path, way: str) -> None:
    with captured(log):
        WAYS[way]("before and after")
    assert "before and after" in log.read_text()


def test_a_secret_that_comes_byte_by_byte_is_in_the_log_at_no_moment(log: Path) -> None:
    seen = set()
    with captured(log, {SECRET}) as capture:
        for byte in f"one {SECRET} two{SECRET}{SECRET[:5]} three\n".encode():
            os.write(1, bytes([byte]))
            capture.sync()
            seen.add(log.read_text())
    assert log.read_text() == f"one *** two***{SECRET[:5]} three\n"
    assert not [text for text in seen if SECRET[:6] in text]
    assert {"one", "one *** two", "one *** two***"} <= {text.rstrip() for text in seen}


def test_two_processes_that_print_a_half_each_give_nothing_away(log: Path) -> None:
    with captured(log, {SECRET}):
        subprocess.run(["printf", SECRET[:7]], check=True)
        subprocess.run(["printf", SECRET[7:]], check=True)
    assert log.read_text() == "***"


def test_the_beginning_of_a_secret_is_hidden_where_its_rest_never_comes(log: Path) -> None:
    with captured(log, {SECRET}):
        print(f"it is {SECRET[:-1]}", end="")
    assert log.read_text() == "it is ***"


def test_a_line_without_an_end_can_be_seen_at_once(log: Path) -> None:
    with captured(log, {SECRET}) as capture:
        print("loss: 0.5", end="", flush=True)
        capture.sync()
        assert log.read_text() == "loss: 0.5"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY.replace("\n", "\r\n"),
        textwrap.dedent(KEY.replace("KEY-----\n", "KEY-----\n\n")),
        json.dumps({"key": KEY}),
        repr(KEY),
    ],
    ids=["as it is", "with other ends", "in other lines", "in JSON", "as Python shows it"],
)
def test_a_secret_of_several_lines_is_hidden_line_by_line(log: Path, text: str) -> None:
    secrets = secrets_in({"private_key": KEY})
    with captured(log, secrets):
        for line in text.splitlines(keepends=True):
            print(line, end="", flush=True)
    assert "***" in log.read_text()
    assert not [part for part in ("abcdefgh", "BEGIN KEY", "END KEY") if part in log.read_text()]


def test_secrets_that_overlap_are_hidden_as_one(log: Path) -> None:
    with captured(log, {"abcdef", "defghi", "abcdefghijkl"}):
        print("<abcdefghi> <abcdefghijkl> <abcdefghijk>", end="", flush=True)
        print("<abcdefabcdef>")
    assert log.read_text() == "<***> <***> <***jk><******>\n"


def test_what_is_no_utf8_is_passed_on_and_hidden(log: Path) -> None:
    with captured(log, {os.fsdecode(b"\xffsecret\xfe"), "gehëim-é"}):
        os.write(1, b"\xfd \xffsecret\xfe\n")
        print("gehëim-é, \udcff")
    assert log.read_bytes() == b"\xfd ***\n***, \\udcff\n"


def test_c_code_that_prints_much_while_it_holds_pythons_lock_need_not_wait(log: Path) -> None:
    much = b"x" * 500_000 + SECRET.encode() + b"y" * 500_000
    with captured(log, {SECRET}):
        assert ctypes.PyDLL(None).write(1, much, len(much)) == len(much)  # unlike CDLL, PyDLL keeps the lock
    assert log.read_bytes() == much.replace(SECRET.encode(), b"***")


def test_forked_workers_hide_secrets_too(log: Path) -> None:
    with captured(log, {SECRET}) as capture:
        worker = os.fork()
        if worker == 0:
            print(f"the worker's {SECRET}")
            capture.sync()  # it has nobody who could tell it, and must not wait
            os._exit(0)
        os.waitpid(worker, 0)
    assert log.read_text() == "the worker's ***\n"


# -- processes that go on ----------------------------------------------------------------------------------------------------


def test_a_process_that_still_holds_the_output_does_not_delay_the_end_and_what_it_prints_later_is_hidden(
    log: Path, becomes_true: BecomesTrue
) -> None:
    with captured(log, {SECRET}):
        print("of the job")
        later = subprocess.Popen(["sh", "-c", f"read word; echo late {SECRET}; echo $word"], stdin=subprocess.PIPE, text=True)
    assert log.read_text() == "of the job\n"
    with captured(log.with_name("next.log"), {SECRET}):
        print("of the next")
    later.communicate("the end\n")
    assert later.returncode == 0
    assert becomes_true(lambda: log.read_text() == "of the job\nlate ***\nthe end\n")
    assert log.with_name("next.log").read_text() == "of the next\n"


KILLED = """
import os, sys
from pathlib import Path
from djsandbox.process.capture import captured

log, secret = Path(sys.argv[1]), sys.argv[2]
out = os.dup(1)
with captured(log, {secret}):
    print(f"whole {secret}")
    print(f"half {secret[:-2]}", end="", flush=True)
    os.write(out, b"printed")
    os.read(0, 1)
"""


def test_nothing_is_given_away_when_we_are_killed_at_once(log: Path, becomes_true: BecomesTrue) -> None:
    argv = [sys.executable, "-c", KILLED, str(log), SECRET]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(7) == b"printed"
    process.kill()
    process.communicate()
    assert becomes_true(lambda: log.read_text() == "whole ***\nhalf ***")


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from djsandbox.process.capture import captured

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
with captured(Path(sys.argv[1]), {sys.argv[2]}) as capture:
    print("before")
    capture.sync()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.killpg(0, number)
    print("after", sys.argv[2])
"""


def test_ctrl_c_reaches_those_who_print_and_not_who_hides_it(log: Path) -> None:
    argv = [sys.executable, "-c", INTERRUPTED, str(log), SECRET]
    subprocess.run(argv, check=True, start_new_session=True)
    assert log.read_text() == "before\nafter ***\n"
