"""Processes that a component forks live as long as its library wants them to, and no longer than the run."""

import sys
from typing import Any

import pytest

Lab = Any

FORK_IN_THREAD = """
import os, threading


class Fork(BaseEvaluator):
    \"\"\"Forks from a thread that ends before its child.\"\"\"

    def run(self, eval_type, eval_obj=None, **kwargs):
        reading, writing = os.pipe()
        pids = []

        def fork():
            pid = os.fork()
            if pid == 0:
                os.read(reading, 1)
                os._exit(7)
            pids.append(pid)

        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        os.write(writing, b"x")
        _, status = os.waitpid(pids[0], 0)
        return os.waitstatus_to_exitcode(status)


"""


@pytest.mark.skipif(sys.platform != "linux", reason="forked children are only looked after on Linux")
def test_a_child_outlives_the_thread_that_forked_it(lab: Lab) -> None:
    lab.edit_parts("class Fail(", FORK_IN_THREAD + "class Fail(")
    lab.run(
        lab.GIVE.replace("parts.py:Give, value: 1", "parts.py:Fork").replace(
            '{type: "./parts.py:Give", value: 1}', '{type: "./parts.py:Fork"}'
        )
    )
    assert lab.context_infos()["anonymous"][0]["a"] == 7
