"""Jobs split into tasks: in parallel, tried again, told of, and proven by what they write."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import hookimpl
from djsandbox.errors import ConfigError, JobFailed
from djsandbox.plugins.events import TaskEvent

Lab = Any

MEET = "echo $0 >> there; while [ $(sort -u there | wc -l) -lt 2 ]; do sleep 0.01; done; echo $0 > $1"
"""Ends when two tasks have begun."""

LIMIT = 100
"""Seconds after which a task that waits for ever has failed; none comes near it."""


def models(lab: Lab) -> Any:
    return lab.context_infos()["anonymous"][0]["models"]


def texts_of(folder: Path, suffix: str = "*") -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob(suffix) if path.is_file())


def test_the_results_are_in_the_order_of_the_config_whoever_ends_first(lab: Lab) -> None:
    wait_for_b = "[ $0 = a ] && while [ ! -s out/b.txt ]; do sleep 0.01; done; echo model $0 > $1"
    lab.shell(wait_for_b, names=["a", "b"], export_path="out", timeout=LIMIT)
    lab.run(settings=["launcher={type: local, max_parallel: 2, cpus: 2}"])
    assert models(lab) == ["model a", "model b"]


def test_no_more_tasks_run_at_once_than_the_launcher_allows(lab: Lab) -> None:
    alone = "mkdir alone || exit 9; echo $0 > $1; rmdir alone"
    lab.shell(alone, names=list("abcdef"), launcher={"type": "local", "max_parallel": 1, "cpus": 8})
    lab.run()
    assert models(lab) == list("abcdef")


def test_tasks_that_need_all_cpus_run_one_after_the_other(lab: Lab) -> None:
    alone = "mkdir alone || exit 9; echo $0 > $1; rmdir alone"
    lab.shell(alone, cpus=4, launcher={"max_parallel": 3, "cpus": 4})
    lab.run()
    assert models(lab) == ["a", "b", "c"]


def test_a_task_that_needs_more_cpus_than_there_are_is_refused_before_any_begins(lab: Lab) -> None:
    lab.shell("echo $0 > $1", cpus=3, launcher={"cpus": 2})
    with pytest.raises(JobFailed, match="task 'a' can never be run here: it needs 3 CPUs, and there are 2"):
        lab.run()
    assert lab.events() == []


def test_the_key_of_a_job_does_not_depend_on_how_its_tasks_are_run(lab: Lab) -> None:
    lab.shell("echo $0 > $1")
    lab.run()
    ways = {"launcher": {"max_parallel": 1}, "retries": 2, "timeout": 77, "on_failure": "finish_others"}
    lab.shell("echo $0 > $1", globals={"launcher": "local"}, **ways)
    assert lab.run(resume=True).reused == ("anonymous/execution/0",)


def test_every_task_is_journalled_with_its_log_and_told_to_observers(lab: Lab) -> None:
    told: list[TaskEvent] = []

    class Observer:
        @hookimpl
        def djsandbox_task_started(self, task: TaskEvent) -> None:
            told.append(task)

        @hookimpl
        def djsandbox_task_finished(self, task: TaskEvent) -> None:
            told.append(task)

    lab.shell("echo hello from $0; echo $0 > $1", names=["a"])
    lab.run(plugins={"observer": Observer()})
    assert lab.events("a") == ["task_started", "task_finished"]
    assert [(task.status, task.attempt, task.reused) for task in told] == [("running", 1, False), ("done", 1, False)]
    assert told[1].task_id == "anonymous/execution/0/a"
    assert told[1].seconds is not None
    assert told[1].log_file == lab.work_dir.relative_to(lab.folder) / "logs/anonymous/execution/0/run_0001/a/1.log"
    assert told[1].log_file.read_text() == "hello from a\n"


def test_metrics_of_tasks_bear_job_task_and_step_and_their_log_lines_say_whose_they_are(lab: Lab) -> None:
    lab.shell("echo loss 1 0.5; printf 'loss 2 0.25\\r'; echo $0 > $1")
    lab.run()
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert watcher.query("train") == {name: {"loss": 0.25} for name in "abc"}
    assert watcher.history("train.b.loss") == [(1, 0.5), (2, 0.25)]
    metrics = [json.loads(line) for line in (lab.work_dir / "metrics.jsonl").read_text().splitlines()]
    assert {(line["job"], line["task"]) for line in metrics if line["kind"] == "metric"} == {
        ("anonymous/execution/0", name) for name in "abc"
    }
    assert "[b] saw loss 2 0.25" in (lab.work_dir / "logs/anonymous/execution/0/run_0001.log").read_text()


# -- failing -----------------------------------------------------------------------------------------------------------------


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
        assert models(lab) == ["out/a.txt"]
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
def test_what_is_no_task_is_said_with_the_name_of_who_gave_it(lab: Lab, wrong: str, said: str) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        file.write(f"\n\nclass Wrong(Shell):\n    def tasks(self, run_type, run_obj=None):\n        {wrong}\n")
    lab.shell("true", type="./shell.py:Wrong")
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert f"Wrong.tasks() {said}" in str(failed.value) and "yield a djsandbox.Task" in str(failed.value)


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
    assert models(lab) == ["a", "b"]
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


def test_no_tasks_are_no_results(lab: Lab) -> None:
    lab.shell("true", names=[])
    lab.run()
    assert models(lab) == []


# -- secrets -----------------------------------------------------------------------------------------------------------------


def test_secrets_of_a_task_reach_it_and_nothing_else(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "token-from-outside")
    monkeypatch.setenv("OTHER_API_KEY", "key-nobody-asked-for")
    script = "echo $HF_TOKEN $MY_PASSWORD [$OTHER_API_KEY]; echo $HF_TOKEN $MY_PASSWORD > seen; echo $0 > $1"
    lab.shell(script, names=["a"], env={"MY_PASSWORD": "swordfish-1"}, keep_env=["HF_TOKEN"])
    lab.run()
    assert (lab.folder / "seen").read_text() == "token-from-outside swordfish-1\n"
    assert (lab.work_dir / "logs/anonymous/execution/0/run_0001/a/1.log").read_text() == "*** *** []\n"
    everything = texts_of(lab.work_dir)
    assert not [secret for secret in ("token-from-outside", "swordfish-1", "key-nobody-asked-for") if secret in everything]


def test_a_secret_in_the_arguments_is_in_no_log_journal_or_message(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("name, path)\n", 'name, path, "--api-key", "swordfish-2")\n'))
    lab.shell("echo got $3; exit 3", names=["a"])
    with pytest.raises(JobFailed) as failed:
        lab.run()
    assert "got ***" in str(failed.value)
    assert "swordfish-2" not in str(failed.value) + texts_of(lab.work_dir)


# -- choosing a launcher -----------------------------------------------------------------------------------------------------


ODD = """
from djsandbox import Finding, Launcher


class NoConfig(Launcher):
    '''Has options of a kind that cannot be checked.'''

    Config = dict
    max_parallel = 1

    def run(self, attempt, on_started, on_line):
        pass

    def stop(self, *, at_once=False):
        pass


class Fails(NoConfig):
    '''Cannot be made.'''

    Config = Launcher.Config

    def __init__(self, config):
        raise RuntimeError("out of order")


class Doubts(NoConfig):
    '''Finds something wrong.'''

    Config = Launcher.Config

    def check(self):
        yield Finding((), "there is no cluster")
"""


@pytest.mark.parametrize(
    ("launcher", "said"),
    [
        ("lokal", "unknown launcher 'lokal'"),
        ({"type": "lokal"}, "did you mean 'local'"),
        ({"type": "local", "max_paralel": 2}, "unknown key 'max_paralel'"),
        ({"max_parallel": 0}, "'max_parallel'"),
        ({"max_parallel": "many"}, "'max_parallel' must be a whole number"),
        ({"type": 3}, "a launcher is a type"),
        ({"max_parallel": True}, "'max_parallel' must be a whole number, not true or false"),
        ({"grace": True}, "'grace' must be a number"),
        ({"gpus": 4}, "the launcher is to share out 4 GPUs, and there are 2"),
        ("./odd.py:NoConfig", "the Config of the launcher './odd.py:NoConfig' is no ComponentConfig"),
        ("./odd.py:Fails", "RuntimeError: out of order"),
        ("./odd.py:Doubts", "there is no cluster"),
        ("./none.py:Mine", "there is no file"),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["of the job", "of the whole config"])
def test_a_wrong_launcher_is_found_before_the_run_with_its_place(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, launcher: Any, said: str, place: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (lab.folder / "odd.py").write_text(ODD)
    if place == "of the job":
        lab.shell("true", launcher=launcher)
    else:
        lab.shell("true", globals={"launcher": launcher})
    with pytest.raises(ConfigError) as wrong:
        djsandbox.validate("sandbox.yaml")
    assert said in str(wrong.value)
    assert str(wrong.value).startswith("sandbox.yaml:1: ")
    assert len(wrong.value.problems) == 1


@pytest.mark.parametrize("launcher", [3, True, []], ids=str)
def test_a_job_whose_launcher_is_neither_a_type_nor_a_mapping_has_one_problem(lab: Lab, launcher: Any) -> None:
    lab.shell("true", launcher=launcher)
    with pytest.raises(ConfigError) as wrong:
        djsandbox.validate("sandbox.yaml")
    assert [problem.message for problem in wrong.value.problems] == [
        "a launcher is a type, or a mapping of 'type' and its options"
    ]


@pytest.mark.parametrize("key", ["retries", "timeout"])
def test_true_is_no_number(lab: Lab, key: str) -> None:
    lab.shell("true", **{key: True})
    with pytest.raises(ConfigError, match=rf"'{key}' must be a (whole )?number, not true or false"):
        djsandbox.validate("sandbox.yaml")


MINE = """
from pathlib import Path

from djsandbox import ComponentConfig, Launcher


def note(text):
    with open("calls.log", "a") as log:
        log.write(text + "\\n")


class Mine(Launcher):
    '''Writes what tasks should.'''

    class Config(ComponentConfig):
        text: str = "mine"

    max_parallel = 3

    def connect(self):
        note("connect")

    def disconnect(self):
        note("disconnect")

    def run(self, attempt, on_started, on_line):
        on_started()
        on_line("loss 1 2.5")
        Path(attempt.task.outputs[0]).write_text(self.config.text)

    def stop(self, *, at_once=False):
        pass
"""


def test_a_launcher_of_somebody_else_is_used_as_it_lies_beside_the_config(lab: Lab) -> None:
    (lab.folder / "mine.py").write_text(MINE)
    lab.shell("exit 1", globals={"launcher": {"type": "./mine.py:Mine", "text": "ours"}})
    lab.run()
    assert models(lab) == ["ours"] * 3
    assert lab.calls() == ["connect", "disconnect"]
    assert djsandbox.SandboxWatcher(lab.work_dir).query("train.a.loss") == 2.5


def test_the_launcher_of_a_job_wins_over_that_of_the_config(lab: Lab) -> None:
    (lab.folder / "mine.py").write_text(MINE)
    lab.shell("echo $0 > $1", globals={"launcher": "./mine.py:Mine"}, launcher="local")
    lab.run()
    assert models(lab) == ["a", "b", "c"]
