"""Finished tasks survive: what was done before a kill is not done again, and nothing else is taken over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

Lab = Any


def test_only_the_tasks_that_did_not_finish_run_again(lab: Lab) -> None:
    lab.fail_at_d()
    lab.run(resume=True)
    assert lab.calls() == ["run d"]
    assert lab.models() == [f"model {name}" for name in "abcd"]
    assert lab.events("a") == ["task_started", "task_finished", "task_reused"]


def test_without_resume_or_where_reuse_is_off_all_tasks_run_again(lab: Lab) -> None:
    lab.fail_at_d()
    lab.run()
    assert lab.calls() == [f"run {name}" for name in "abcd"]
    config = json.loads((lab.folder / "sandbox.yaml").read_text())
    config["execution_job_configs"][0]["reuse"] = False
    lab.run(json.dumps(config), resume=True)
    assert len(lab.calls()) == 4


def test_metrics_of_tasks_that_are_taken_over_are_those_of_an_undisturbed_run(lab: Lab) -> None:
    lab.fail_at_d()
    lab.run(resume=True)
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert watcher.query("train") == {name: {"loss": 0.25} for name in "abcd"}
    assert [watcher.history(f"train.{name}.loss") for name in "abcd"] == [[(1, 0.5), (2, 0.25)]] * 4
    lab.calls()
    lab.run(resume=True)  # and once more, when the job as a whole is reused
    assert lab.calls() == []
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert [watcher.history(f"train.{name}.loss") for name in "abcd"] == [[(1, 0.5), (2, 0.25)]] * 4


@pytest.mark.parametrize("export_path", [None, "out"], ids=["in the job's own folder", "in an output folder"])
def test_files_of_tasks_that_are_taken_over_belong_to_the_result_of_the_job(lab: Lab, export_path: str | None) -> None:
    lab.fail_at_d(export_path=export_path)
    lab.run(resume=True)
    lab.calls()
    finished = next(event for event in lab.journal() if event["event"] == "job_finished")
    made = {os.path.abspath(path) for path in finished["files"]}
    (changed,) = [path for path in made if path.endswith("/a.txt")]
    Path(changed).write_text("by somebody else")
    lab.run(resume=True)
    assert lab.calls() == ["run a"]  # the other tasks are still whole


def test_the_jobs_own_folder_keeps_what_is_taken_over_and_only_that(lab: Lab) -> None:
    leave = "mkdir -p $(dirname $1)/scrap; echo x > $(dirname $1)/scrap/$0; echo x > $(dirname $1)/$0.tmp; "
    (lab.folder / "broken").touch()
    lab.shell(leave + lab.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1})
    with pytest.raises(JobFailed):
        lab.run()
    lab.calls()
    (lab.folder / "broken").unlink()
    lab.run(resume=True)
    own = lab.work_dir / "jobs/anonymous/execution/0"
    left = {str(path.relative_to(own)) for path in own.rglob("*") if path.is_file()}
    assert left == {"a.txt", "b.txt", "c.txt", "d.txt", "d.tmp", "scrap/d"}


ONLY = """
class Only(Shell):
    def tasks(self, run_type, run_obj=None):
        wanted = Path("wanted.txt").read_text().split()
        return [task for task in super().tasks(run_type) if task.name in wanted]
"""


def test_a_task_that_is_no_longer_wanted_leaves_nothing_in_the_jobs_own_folder(lab: Lab) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        file.write(ONLY)
    (lab.folder / "wanted.txt").write_text("a b c d")
    lab.fail_at_d(type="./shell.py:Only")
    (lab.folder / "wanted.txt").write_text("b d")
    lab.run(resume=True)
    assert lab.calls() == ["run d"]
    assert sorted(os.listdir(lab.work_dir / "jobs/anonymous/execution/0")) == ["b.txt", "d.txt"]


# -- each of these changes one thing that a task depends on ------------------------------------------------------------------


def test_a_changed_config_runs_all_tasks_again(lab: Lab) -> None:
    lab.fail_at_d()
    lab.shell(lab.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, env={"A": "b"})
    lab.run(resume=True)
    assert lab.calls() == [f"run {name}" for name in "abcd"]


def test_a_changed_input_runs_all_tasks_again(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("one")
    lab.fail_at_d(dataset_path="in.txt")
    (lab.folder / "in.txt").write_text("two")
    lab.run(resume=True)
    assert len(lab.calls()) == 4


def test_an_input_that_changed_while_tasks_ran_makes_their_results_worthless(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("one")
    (lab.folder / "broken").touch()
    change = "[ $0 = b ] && [ -e broken ] && echo two > in.txt; "
    lab.shell(change + lab.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, dataset_path="in.txt")
    with pytest.raises(JobFailed):
        lab.run()
    lab.calls()
    (lab.folder / "broken").unlink()
    (lab.folder / "in.txt").write_text("one")
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run c", "run d"]


def test_a_folder_in_which_a_file_changed_while_tasks_ran_makes_their_results_worthless(lab: Lab) -> None:
    (lab.folder / "data" / "sub").mkdir(parents=True)
    (lab.folder / "data" / "sub" / "x").write_text("one")
    (lab.folder / "broken").touch()
    change = "[ $0 = b ] && [ -e broken ] && echo two > data/sub/x; "
    lab.shell(change + lab.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, dataset_path="data")
    with pytest.raises(JobFailed):
        lab.run()
    lab.calls()
    (lab.folder / "broken").unlink()
    (lab.folder / "data" / "sub" / "x").write_text("one")
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run c", "run d"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("x")], ids=["gone", "changed"])
def test_a_task_whose_output_was_touched_runs_again(lab: Lab, damage: Any) -> None:
    lab.fail_at_d(export_path="out")
    damage(lab.folder / "out/b.txt")
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run d"]
    assert lab.models() == [f"model {name}" for name in "abcd"]


TREE = """
mkdir -p $1/ckpt-1 $1/empty; echo w > $1/ckpt-1/w; ln -sfn ckpt-1 $1/latest; ln -sfn "$PWD/mine" $1/data
echo run $0 >> calls.log; [ $0 = b ] && [ -e broken ] && exit 3; exit 0
"""


def fail_at_b_with_folders(lab: Lab, **config: Any) -> None:
    """Task a writes a folder with links, one of them to a folder of the user, and b fails."""
    text = (lab.folder / "shell.py").read_text()
    result = "sorted(path.name for path in Path(task.outputs[0]).iterdir())"
    (lab.folder / "shell.py").write_text(text.replace("Path(task.outputs[0]).read_text().strip()", result))
    (lab.folder / "mine").mkdir()
    (lab.folder / "mine" / "precious").write_text("the user's own")
    (lab.folder / "broken").touch()
    lab.shell(TREE, names=["a", "b"], launcher={"max_parallel": 1}, **config)
    with pytest.raises(JobFailed):
        lab.run()
    (lab.folder / "broken").unlink()
    assert lab.calls() == ["run a", "run b"]


def test_a_folder_that_is_taken_over_keeps_its_links_and_empty_folders(lab: Lab) -> None:
    fail_at_b_with_folders(lab)
    lab.run(resume=True)
    assert lab.calls() == ["run b"]
    assert lab.models() == [["ckpt-1", "data", "empty", "latest"]] * 2
    lab.run(resume=True)
    assert lab.calls() == []


def test_nothing_is_removed_behind_the_links_of_a_result_that_is_not_taken_over(lab: Lab) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        file.write(ONLY)
    (lab.folder / "wanted.txt").write_text("a b")
    fail_at_b_with_folders(lab, type="./shell.py:Only")
    (lab.folder / "wanted.txt").write_text("b")
    lab.run(resume=True)
    assert (lab.folder / "mine" / "precious").read_text() == "the user's own"
    own = lab.work_dir / "jobs/anonymous/execution/0/a.txt"
    assert [path for path in own.rglob("*") if path.is_symlink() or path.is_file()] == []


def test_what_a_result_records_when_it_is_read_is_recorded_once_however_often_it_is_taken_over(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    watch = '        self.watcher.watch({self.context.task: {"size": len(text)}})\n        if text =='
    (lab.folder / "shell.py").write_text(text.replace("        if text ==", watch))
    lab.fail_at_d()
    for _ in range(2):
        (lab.folder / "broken").touch()
        with pytest.raises(JobFailed):
            lab.run(resume=True)
    (lab.folder / "broken").unlink()
    lab.run(resume=True)
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert [watcher.history(f"train.{name}.size") for name in "abcd"] == [[(None, 7)]] * 4


# -- killed ------------------------------------------------------------------------------------------------------------------
