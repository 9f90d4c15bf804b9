"""Trinity tells in its log that it failed, and nowhere else."""

from __future__ import annotations

import pytest
from djsandbox_trinity.worker.failures import FailureReader

HEAD = "ERROR 11-22 16:27:39 [x.py:10] "


def read(*lines: str) -> FailureReader:
    reader = FailureReader()
    for line in lines:
        reader.feed(line)
    return reader


@pytest.mark.parametrize(
    "what", ["Error in Trainer", "Error in Explorer", "Trainer failed", "Explorer or Trainer failed", "Explorer failed"]
)
@pytest.mark.parametrize("before", ["", "(Trainer pid=1) ", "\x1b[36m(Trainer pid=1, ip=10.0.0.7)\x1b[0m "])
def test_each_failure_is_told_with_the_last_line_of_its_traceback(what, before):
    reader = read(
        f"{before}{HEAD}{what}:\r",
        f"{before}{HEAD}Traceback (most recent call last):\r",
        f'{before}{HEAD}  File "x.py", line 1, in f\r',
        f"{before}INFO 11-22 16:27:39 [y.py:1] something of another actor",
        f"{before}{HEAD}torch.OutOfMemoryError: CUDA out of memory.\r",
        f"{before}{HEAD}",
    )
    assert reader.message() == f"{what}: torch.OutOfMemoryError: CUDA out of memory."


@pytest.mark.parametrize(
    "line",
    [
        "INFO 11-22 16:27:39 [x.py:10] Error in Trainer:",
        "Error in Trainer:",
        "(Explorer pid=1) WARNING 11-22 16:27:39 [x.py:10] Trainer failed: the model says",
        f"{HEAD}Task 3 failed with message: the answer was no number",
        f"{HEAD}the prompt says Error in Trainer",
    ],
)
def test_other_errors_and_what_only_quotes_one_are_no_failure(line):
    assert read(line).message() == ""
