"""Tasks that fail, are tried again, or claim to have done what they have not."""

from __future__ import annotations

import os
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

Lab = Any

LIMIT = 100
"""Seconds after which a task that waits for ever has failed; none comes near it."""


def test_a_failing_task_fails_its_job_and_the_job_has_no_outputs(lab: Lab) -> None:
    lab.shell("echo why $0; [ $0 = b ] && exit 3; echo $0 > $1", launcher={"max_parallel": 1})
    with pytest.raises(JobFailed) as failed:
        lab.run()
    text = str(failed.value)
    assert "task 'b' failed" in text and "exit code 3" in text and "why b" in text
    assert "1 task not begun: 'c'" in text
    assert "run_0001/b/1.log" in text
    assert lab.context_infos() == {"anonymous": []}
    assert lab.events("b") == ["task_started", "task_failed"]


def test_the_others_finish_where_the_config_says_so_and_all_that_failed_are_named(lab: Lab) -> None:
    script = "echo run $0 >> calls.log; case $0 in b|d) echo bad $0; exit 3;; esac; echo $0 > $1"
    lab.shell(script, names=list("abcde"), on_failure="finish_others", launcher={"max_parallel": 1})
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert lab.calls() == [f"run {name}" for name in "abcde"]
    assert "task 'b' failed" in str(failed.value) and "bad b" in str(failed.value)
    assert "1 other task failed, too: 'd'" in str(failed.value)
    assert "bad d" not in str(failed.value)


def test_siblings_of_a_failed_task_are_stopped_and_named(lab: Lab) -> None:
    script = "touch $0.began; if [ $0 = a ]; then while [ ! -e b.began ]; do sleep 0.01; done; exit 3; fi; exec sleep 10000"
    lab.shell(script, names=["a", "b", "c"], launcher={"max_parallel": 2, "cpus": 2})
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert "1 task stopped because of it: 'b'" in str(failed.value)
    assert "1 task not begun: 'c'" in str(failed.value)
    assert lab.events("b") == ["task_started", "task_interrupted"]
    assert lab.journal()[-1]["status"] == "failed"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo forgot", "did not write its output"),
        ("echo rubbish > $1", "its result cannot be read: ValueError: this is no model"),
        ("mkdir $1", "did not write its output"),
    ],
    ids=["nothing written", "written, but not readable", "an empty folder"],
)
def test_an_exit_code_of_zero_is_not_enough(lab: Lab, script: str, said: str) -> None:
    lab.shell(f"echo some words; {script}", names=["a"])
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert said in str(failed.value) and "some words" in str(failed.value) and "a/1.log" in str(failed.value)


def test_an_output_of_an_earlier_run_does_not_pass_for_this_ones(lab: Lab) -> None:
    lab.shell("[ -e idle ] || echo $0 > $1", names=["a"], export_path="out")
    lab.run()
    (lab.folder / "idle").touch()
    with pytest.raises(JobFailed, match="an old one, which it has not written again"):
        lab.run()


@pytest.mark.parametrize("ending", ["exit 3", "exec sleep 10000"], ids=["that failed", "that took too long"])
def test_what_a_try_left_half_written_does_not_pass_for_the_result_of_the_next(lab: Lab, ending: str) -> None:
    timeout = {"timeout": 2} if "sleep" in ending else {}
    lab.shell(f"[ -e tried ] && exit 0; touch tried; echo half > $1; {ending}", names=["a"], retries=1, **timeout)
    with pytest.raises(JobFailed, match="which it has not written again: delete it, or let the program write it anew"):
        lab.run()
    assert lab.events("a") == ["task_started", "task_failed"] * 2


def folders_as_results(lab: Lab) -> None:
    """The result of a task is the path of its output, which may then be a folder."""
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("Path(task.outputs[0]).read_text().strip()", "task.outputs[0]"))


@pytest.mark.parametrize(("script", "is_new"), [("rm $1/lock", False), ("echo x > $1/more", True), ("echo > $1/lock", True)])
def test_of_an_old_folder_a_task_must_write_a_file_and_not_only_remove_one(lab: Lab, script: str, is_new: bool) -> None:
    folders_as_results(lab)
    old = lab.folder / "out" / "a.txt"
    old.mkdir(parents=True)
    for name in ("model", "lock"):
        (old / name).write_text("of last week")
    lab.shell(script, names=["a"], export_path="out")
    if is_new:
        lab.run()
        assert lab.models() == ["out/a.txt"]
    else:
        with pytest.raises(JobFailed, match="an old one"):
            lab.run()


def test_a_task_whose_folder_cannot_be_made_has_failed_as_any_other(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    odd = 'path = "file/x" if name == "b" else path\n            argv ='
    (lab.folder / "shell.py").write_text(text.replace("argv =", odd))
    (lab.folder / "file").touch()
    script = "echo run $0 >> calls.log; echo $0 > $1"
    lab.shell(script, on_failure="finish_others", launcher={"max_parallel": 1})
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert "task 'b' failed: the folder 'file' of its output cannot be made" in str(failed.value)
    assert "not begun" not in str(failed.value)
    assert lab.calls() == ["run a", "run c"]
    assert lab.events("b") == ["task_failed"]


def test_a_task_that_destroys_what_another_has_written_makes_the_job_fail(lab: Lab) -> None:
    script = '[ $0 = b ] && rm "$(dirname $1)/a.txt"; echo $0 > $1'
    lab.shell(script, launcher={"max_parallel": 1})
    with pytest.raises(JobFailed, match=r"a\.txt', which the task 'a' had written, was gone when the tasks had ended"):
        lab.run()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("return None", "gave no tasks, but None"),
        ("return 'train a'", "gave no tasks, but a value of type 'str'"),
        ("return ['train a']", "gave a value of type 'str' where a Task is wanted"),
    ],
)
def test_what_is_no_task_is_said_with_the_file_and_the_name_of_who_gave_it(lab: Lab, wrong: str, said: str) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        file.write(f"\n\nclass Wrong(Shell):\n    def tasks(self, run_type, run_obj=None):\n        {wrong}\n")
    lab.shell("true", type="./shell.py:Wrong")
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert f": ./shell.py:Wrong.tasks() {said}" in str(failed.value) and "yield a djsandbox.Task" in str(failed.value)


def test_an_output_that_is_looked_for_elsewhere_than_it_was_written_is_explained(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("env=config.env,", 'env=config.env, cwd="there",'))
    (lab.folder / "there" / "out").mkdir(parents=True)
    lab.shell("echo $0 > $1", names=["a"], export_path="out")
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert f"relative to our own folder, {lab.folder}, not to its cwd 'there'" in str(failed.value)


def test_a_task_is_tried_again_until_it_succeeds(lab: Lab) -> None:
    script = "echo try >> $0.tries; echo loss $(wc -l < $0.tries) 1; [ $(wc -l < $0.tries) -ge 3 ] && echo $0 > $1"
    lab.shell(script, names=["a", "b"], retries=2)
    lab.run()
    assert lab.models() == ["a", "b"]
    assert lab.events("a") == ["task_started", "task_failed", "task_started", "task_failed", "task_started", "task_finished"]
    assert [event.get("again") for event in lab.journal() if event["event"] == "task_failed"] == [True] * 4
    logs = lab.work_dir / "logs/anonymous/execution/0/run_0001/a"
    assert sorted(os.listdir(logs)) == ["1.log", "2.log", "3.log"]
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert watcher.history("train.a.loss") == [(3, 1.0)]  # that of the try which led to the result


def test_a_task_is_not_tried_more_often_than_it_may_be(lab: Lab) -> None:
    lab.shell("echo run >> calls.log; exit 3", names=["a"], retries=2)
    with pytest.raises(JobFailed, match="task 'a' failed"):
        lab.run()
    assert lab.calls() == ["run"] * 3
    assert [event["again"] for event in lab.journal() if event["event"] == "task_failed"] == [True, True, False]


def test_a_program_that_does_not_exist_is_named(lab: Lab) -> None:
    (lab.folder / "shell.py").write_text((lab.folder / "shell.py").read_text().replace('"sh", "-c"', '"no-such-shell", "-c"'))
    lab.shell("true", names=["a"])
    with pytest.raises(JobFailed, match="task 'a' failed: no-such-shell was not found on the PATH"):
        lab.run()


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a", "b", "a"], "two tasks of the job are named 'a'"), (["x/y"], "cannot name a task")],
)
def test_tasks_that_cannot_be_told_apart_are_refused(lab: Lab, names: list[str], said: str) -> None:
    lab.shell("echo $0 > $1", names=names)
    with pytest.raises(JobFailed, match=said):
        lab.run()
    assert lab.events() == []


def test_two_tasks_may_not_write_one_file_or_into_each_others_folders(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("(path,), env", '(path if name == "a" else f"{folder}/a.txt/x",), env'))
    lab.shell("echo $0 > $1", names=["a", "b"])
    with pytest.raises(JobFailed, match=r"the tasks 'a' and 'b' would both write '.*a\.txt/x'"):
        lab.run()
