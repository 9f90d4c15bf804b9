from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen

import pytest
from djsandbox.errors import SandboxError
from djsandbox.journal.journal import Journal

WRITER = """
from djsandbox.journal.journal import Journal
journal = Journal({work_dir!r})
print("ready", flush=True)
number = 0
while True:
    journal.append("tick", number=number, padding="x" * 2000)
    number += 1
"""


def events(work_dir: Path) -> list[str]:
    return [event["event"] for event in Journal(work_dir).events()]


def test_events_come_back_in_order_with_their_time_in_utc(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "work")
    written = journal.append("run_started", run_id="1", config="数据\nx")
    journal.append("job_started", job_id="p/probe/0")
    back = list(Journal(tmp_path / "work").events())
    assert back[0] == written
    assert [event["event"] for event in back] == ["run_started", "job_started"]
    assert datetime.fromisoformat(back[1]["time"]).utcoffset() == timedelta(0)


def test_a_work_dir_without_a_journal_has_no_events_and_stays_as_it_is(tmp_path: Path) -> None:
    assert events(tmp_path / "nothing") == []
    assert list(tmp_path.iterdir()) == []


def test_every_event_is_one_line_of_json(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("a", text="one\ntwo\u2028three\r")
    journal.append("b", file="\udcff")
    lines = journal.path.read_bytes().split(b"\n")
    assert lines[-1] == b""
    assert [json.loads(line)["event"] for line in lines[:-1]] == ["a", "b"]
    assert [event.get("file") for event in journal.events()] == [None, "\udcff"]


def test_a_last_line_cut_off_anywhere_is_ignored_and_the_next_event_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("first", text="数据")
    whole_first = journal.path.read_bytes()
    journal.append("second", text="数据")
    whole = journal.path.read_bytes()
    for cut in range(len(whole_first), len(whole) - 1):
        journal.path.write_bytes(whole[:cut])
        assert events(tmp_path) == ["first"]
        journal.append("third")
        assert events(tmp_path) == ["first", "third"]
        journal.append("fourth")
        assert events(tmp_path) == ["first", "third", "fourth"]


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("first")
    journal.append("second")
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    assert events(tmp_path) == ["first", "second"]
    journal.append("third")
    assert events(tmp_path) == ["first", "second", "third"]


def test_a_cut_off_line_longer_than_a_block_is_removed_as_a_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("first")
    with journal.path.open("ab") as file:
        file.write(b'{"event": "' + b"x" * 200_000)
    journal.append("second")
    assert events(tmp_path) == ["first", "second"]


def test_zeros_that_a_power_cut_left_at_the_end_are_ignored(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("first")
    with journal.path.open("ab") as file:
        file.write(b"\0" * 500)
    assert events(tmp_path) == ["first"]
    journal.append("second")
    assert events(tmp_path) == ["first", "second"]


@pytest.mark.parametrize("line", ["{broken", "[1]", '{"no": "event"}', "", "\0\0"])
def test_a_line_in_the_middle_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("first")
    with journal.path.open("a") as file:
        file.write(line + "\n")
    journal.append("second")
    with pytest.raises(SandboxError, match=r"journal\.jsonl:2: this line"):
        list(journal.events())


def test_an_event_that_is_not_json_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for value in (object(), float("nan"), {1}):
        with pytest.raises(SandboxError, match="'job_finished' is not plain JSON"):
            journal.append("job_finished", value=value)
    assert events(tmp_path) == []


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file where the folder should be")
    with pytest.raises(SandboxError, match=r"cannot write .*journal\.jsonl"):
        Journal(tmp_path / "work").append("first")


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    def write(name: str) -> None:
        for number in range(20):
            journal.append(name, number=number, padding=name * 3000)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    back = list(journal.events())
    assert [sum(event["event"] == name for event in back) for name in "abc"] == [20, 20, 20]


def test_it_can_be_read_while_another_process_writes_and_after_that_was_killed(
    tmp_path: Path, start_python: Callable[[str], Popen[str]]
) -> None:
    writer = start_python(WRITER.format(work_dir=str(tmp_path)))
    seen = 0
    while seen < 20:
        numbers = [event["number"] for event in Journal(tmp_path).events()]
        assert numbers == list(range(len(numbers)))
        seen = len(numbers)
    writer.kill()
    writer.wait()
    journal = Journal(tmp_path)
    survived = len(list(journal.events()))
    assert survived >= seen
    journal.append("after")
    assert [event["event"] for event in journal.events()] == ["tick"] * survived + ["after"]
