"""What must not outlive a run: told to end at once, and given the time that it needs."""

from __future__ import annotations

import threading

from djsandbox.engine.launching.workers import Workers
from djsandbox.engine.stopping import MARGIN, USUAL_GRACE, Stoppables


def test_the_longest_grace_decides_when_cleaning_up_is_given_up() -> None:
    found = Stoppables()
    assert found.patience() == USUAL_GRACE + MARGIN
    with found.registered(lambda: None, 3.0), found.registered(lambda: None, 70.0):
        assert found.patience() == 70.0 + MARGIN
    assert found.patience() == USUAL_GRACE + MARGIN


def test_all_are_told_to_end_whatever_one_of_them_raises() -> None:
    found, told = Stoppables(), []

    def fail() -> None:
        told.append("first")
        raise OSError("out of order")

    with found.registered(fail, 1.0), found.registered(lambda: told.append("second"), 1.0):
        found.stop_at_once()
    found.stop_at_once()
    assert told == ["first", "second"]


def test_dismissing_workers_waits_for_those_that_work_and_for_no_others() -> None:
    may_end, works, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        works.set()
        may_end.wait()
        ended.append(True)

    workers = Workers(work, 1)
    threading.Thread(target=workers.run, daemon=True).start()
    works.wait()
    threading.Timer(0.05, may_end.set).start()
    workers.dismiss()
    assert ended == [True]
    Workers(work, 3).dismiss()  # none has begun
