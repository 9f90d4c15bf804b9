"""A capture has all that is printed while it is open, leaves everything as it was, and shares the process with no other."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.errors import SandboxError
from djsandbox.process.capture import capture_of, captured

KINDS = pytest.mark.parametrize("secrets", [frozenset(), frozenset({"s3cret-value"})], ids=["direct", "with secrets"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "job.log"


@KINDS
def test_all_who_print_are_in_the_log_in_their_order(log: Path, secrets: frozenset[str]) -> None:
    with captured(log, secrets) as capture:
        logger = logging.Logger("job")
        logger.addHandler(logging.StreamHandler(capture))
        print("one", end=" ")
        logger.info("two")
        print("three", file=sys.stderr)
        subprocess.run(["echo", "four"], check=True)
        print("five", end=" ")
        capture.write("six\n")
    assert log.read_text() == "one two\nthree\nfour\nfive six\n"


@KINDS
def test_what_is_in_the_log_stays_and_what_comes_is_added(log: Path, secrets: frozenset[str]) -> None:
    log.write_text("earlier\n")
    with captured(log, secrets):
        print("later")
    assert log.read_text() == "earlier\nlater\n"


BEFORE_AND_AFTER = """
import ctypes, os, subprocess, sys
from pathlib import Path
from djsandbox.process.capture import captured

c = ctypes.CDLL(None)
sys.stdout.write("Python before, ")
c.printf(b"C before, ")
with captured(Path(sys.argv[1]), set(sys.argv[2:])):
    c.printf(b"C in it, ")
    sys.__stdout__.write("the original stream in it, ")
    sys.stdout.write("Python in it, ")
sys.stdout.write("Python after, ")
sys.stdout.flush()
c.printf(b"C after")
"""


@KINDS
def test_what_python_and_c_hold_back_goes_where_it_was_printed(log: Path, secrets: frozenset[str]) -> None:
    argv = [sys.executable, "-c", BEFORE_AND_AFTER, str(log), *secrets]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout == "Python before, C before, Python after, C after"
    assert sorted(log.read_text().split(", ")) == ["", "C in it", "Python in it", "the original stream in it"]


@KINDS
def test_a_stream_that_a_library_keeps_is_good_after_the_capture_and_in_the_next(
    log: Path, secrets: frozenset[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with captured(log, secrets):
        kept = sys.stderr
    print("between", file=kept)
    assert capfd.readouterr().err == "between\n"
    with captured(log.with_name("next"), secrets):
        print("in the next", file=kept)
    assert (log.read_text(), log.with_name("next").read_text()) == ("", "in the next\n")


BREAKERS = [
    lambda: [stream.close() for stream in (sys.stdout, sys.stderr)],
    lambda: (os.close(1), os.close(2)),
    lambda: (setattr(sys, "stdout", io.StringIO()), setattr(sys, "stderr", None)),
]


@KINDS
@pytest.mark.parametrize("break_it", BREAKERS, ids=["a closed stream", "closed files", "other streams"])
def test_whoever_breaks_the_output_breaks_it_for_himself_only(
    log: Path, secrets: frozenset[str], break_it: Callable[[], object], capfd: pytest.CaptureFixture[str]
) -> None:
    before = (sys.stdout, sys.stderr)
    with captured(log, secrets) as capture:
        print("before")
        break_it()
        capture.write("still written\n")
    assert (sys.stdout, sys.stderr) == before
    os.write(1, b"out")
    os.write(2, b"err")
    assert tuple(capfd.readouterr()) == ("out", "err")
    with captured(log, secrets):
        print("again")
    assert log.read_text() == "before\nstill written\nagain\n"


def test_without_an_output_of_our_own_there_is_still_a_log(log: Path) -> None:
    code = "import sys; from pathlib import Path; from djsandbox.process.capture import captured\n"
    code += "with captured(Path(sys.argv[1]), {'s3cret-value'}): print('s3cret-value here')"
    subprocess.run(["sh", "-c", '"$0" -c "$1" "$2" >&- 2>&-', sys.executable, code, str(log)], check=True)
    assert log.read_text() == "*** here\n"


@KINDS
def test_an_error_passes_through_and_the_log_is_complete(log: Path, secrets: frozenset[str]) -> None:
    with pytest.raises(KeyError, match="mine"), captured(log, secrets):
        print("before the error", end="")
        raise KeyError("mine")
    assert log.read_text() == "before the error"


# -- several -----------------------------------------------------------------------------------------------------------------


@KINDS
def test_a_capture_inside_of_another_has_what_is_printed_meanwhile(log: Path, secrets: frozenset[str]) -> None:
    inner = log.with_name("inner.log")
    with captured(log, secrets):
        print("one")
        with captured(inner, {"another-secret"}):
            print("two, another-secret")
        subprocess.run(["echo", "three"], check=True)
    assert log.read_text() == "one\nthree\n"
    assert inner.read_text() == "two, ***\n"


def test_a_capture_of_the_same_file_with_nothing_more_to_hide_is_the_one_that_there_is(log: Path) -> None:
    with captured(log, {"s3cret-value"}) as outer:
        with captured(log) as same, captured(log, {"s3cret-value"}) as same_again:
            print("one s3cret-value")
        with captured(log, {"another-one"}) as another:
            print("two another-one")
        print("three s3cret-value")
    assert (same, same_again) == (outer, outer)
    assert another is not outer
    assert sorted(log.read_text().splitlines()) == ["one ***", "three ***", "two ***"]


def in_a_thread(call: Callable[[], object]) -> list[BaseException]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return errors


def test_another_thread_cannot_capture_at_the_same_time(log: Path, tmp_path: Path) -> None:
    def capture() -> None:
        with captured(tmp_path / "other.log"):
            pass

    with captured(log):
        [error] = in_a_thread(capture)
        print("undisturbed")
    assert isinstance(error, SandboxError)
    assert str(log) in str(error)
    assert log.read_text() == "undisturbed\n"
    assert in_a_thread(capture) == []


def test_a_thread_that_carries_the_context_along_can(log: Path, tmp_path: Path) -> None:
    def capture() -> None:
        with captured(tmp_path / "other.log"):
            print("inner")

    with captured(log):
        context = contextvars.copy_context()
        assert in_a_thread(lambda: context.run(capture)) == []
    assert (tmp_path / "other.log").read_text() == "inner\n"


def test_a_capture_is_found_by_its_file_from_everywhere_and_without_one_by_who_opened_it(log: Path) -> None:
    found: list[object] = []
    assert capture_of(log) is None
    assert capture_of(None) is None
    with captured(log) as capture, contextlib.chdir(log.parent):
        assert capture_of(Path(log.name)) is capture
        assert capture_of(None) is capture
        assert capture_of(log.with_name("other")) is None
        assert in_a_thread(lambda: found.extend([capture_of(log), capture_of(None)])) == []
        assert found == [capture, None]


def test_c_code_needs_no_end_of_line_to_be_in_the_log(log: Path) -> None:
    with captured(log) as capture:
        ctypes.CDLL(None).printf(b"from C")
        capture.sync()
        assert log.read_text() == "from C"
