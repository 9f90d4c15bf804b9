"""Jobs split into tasks: in parallel, tried again, told of, and proven by what they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import hookimpl
from djsandbox.errors import JobFailed
from djsandbox.plugins.events import TaskEvent

Lab = Any

MEET = "echo $0 >> there; while [ $(sort -u there | wc -l) -lt 2 ]; do sleep 0.01; done; echo $0 > $1"
"""Ends when two tasks have begun."""

LIMIT = 100
"""Seconds after which a task that waits for ever has failed; none comes near it."""


def texts_of(folder: Path, suffix: str = "*") -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob(suffix) if path.is_file())


def test_the_results_are_in_the_order_of_the_config_whoever_ends_first(lab: Lab) -> None:
    wait_for_b = "[ $0 = a ] && while [ ! -s out/b.txt ]; do sleep 0.01; done; echo model $0 > $1"
    lab.shell(wait_for_b, names=["a", "b"], export_path="out", timeout=LIMIT)
    lab.run(settings=["launcher={type: local, max_parallel: 2, cpus: 2}"])
    assert lab.models() == ["model a", "model b"]


def test_no_more_tasks_run_at_once_than_the_launcher_allows(lab: Lab) -> None:
    alone = "mkdir alone || exit 9; echo $0 > $1; rmdir alone"
    lab.shell(alone, names=list("abcdef"), launcher={"type": "local", "max_parallel": 1, "cpus": 8})
    lab.run()
    assert lab.models() == list("abcdef")


def test_tasks_that_need_all_cpus_run_one_after_the_other(lab: Lab) -> None:
    alone = "mkdir alone || exit 9; echo $0 > $1; rmdir alone"
    lab.shell(alone, cpus=4, launcher={"max_parallel": 3, "cpus": 4})
    lab.run()
    assert lab.models() == ["a", "b", "c"]


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


def test_no_tasks_are_no_results(lab: Lab) -> None:
    lab.shell("true", names=[])
    lab.run()
    assert lab.models() == []


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


@pytest.mark.parametrize("form", ["{}", "--api-key={}", "Authorization: Bearer {}", "postgres://me:{}@host/db"])
def test_a_task_that_would_show_a_known_secret_in_the_list_of_processes_is_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "swordfish-3")
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("name, path)\n", f'name, path, "{form.format("swordfish-3")}")\n'))
    lab.shell("echo $0 > $1", names=["a"])
    with pytest.raises(
        JobFailed, match="arguments of task 'a' hold the value of the environment variable LAB_PASSWORD"
    ) as failed:
        lab.run()
    assert "swordfish-3" not in str(failed.value) + texts_of(lab.work_dir)
    assert lab.events() == []


def test_a_path_that_has_the_word_of_a_secret_in_it_is_no_secret(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "postgres")
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("name, path)\n", 'name, path, "/data/postgres/x", "postgres-14")\n'))
    lab.shell("echo $0 > $1", names=["a"])
    lab.run()
    assert lab.models() == ["a"]


# -- choosing a launcher -----------------------------------------------------------------------------------------------------
