"""Finished tasks survive: what was done before a kill is not done again, and nothing else is taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

Lab = Any

NOTED = "echo run $0 >> calls.log; echo loss 1 0.5; echo loss 2 0.25; echo model $0 > $1"
"""A task that says that it was run, and does its work."""

FAIL_D = f"{NOTED}; [ $0 = d ] && [ -e broken ] && exit 3; exit 0"
"""As above, but the task d fails while there is a file `broken`."""


def fail_at_d(lab: Lab, **config: Any) -> None:
    """A run in which a, b and c finish and d fails."""
    (lab.folder / "broken").touch()
    lab.shell(FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, **config)
    with pytest.raises(JobFailed):
        lab.run()
    assert lab.calls() == [f"run {name}" for name in "abcd"]
    (lab.folder / "broken").unlink()


def models(lab: Lab) -> Any:
    return lab.context_infos()["anonymous"][0]["models"]


def test_only_the_tasks_that_did_not_finish_run_again(lab: Lab) -> None:
    fail_at_d(lab)
    lab.run(resume=True)
    assert lab.calls() == ["run d"]
    assert models(lab) == [f"model {name}" for name in "abcd"]
    assert lab.events("a") == ["task_started", "task_finished", "task_reused"]


def test_without_resume_or_where_reuse_is_off_all_tasks_run_again(lab: Lab) -> None:
    fail_at_d(lab)
    lab.run()
    assert lab.calls() == [f"run {name}" for name in "abcd"]
    config = json.loads((lab.folder / "sandbox.yaml").read_text())
    config["execution_job_configs"][0]["reuse"] = False
    lab.run(json.dumps(config), resume=True)
    assert len(lab.calls()) == 4


def test_metrics_of_tasks_that_are_taken_over_are_those_of_an_undisturbed_run(lab: Lab) -> None:
    fail_at_d(lab)
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
    fail_at_d(lab, export_path=export_path)
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
    lab.shell(leave + FAIL_D, names=list("abcd"), launcher={"max_parallel": 1})
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
    fail_at_d(lab, type="./shell.py:Only")
    (lab.folder / "wanted.txt").write_text("b d")
    lab.run(resume=True)
    assert lab.calls() == ["run d"]
    assert sorted(os.listdir(lab.work_dir / "jobs/anonymous/execution/0")) == ["b.txt", "d.txt"]


# -- each of these changes one thing that a task depends on ------------------------------------------------------------------


def test_a_changed_config_runs_all_tasks_again(lab: Lab) -> None:
    fail_at_d(lab)
    lab.shell(FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, env={"A": "b"})
    lab.run(resume=True)
    assert lab.calls() == [f"run {name}" for name in "abcd"]


def test_a_changed_input_runs_all_tasks_again(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("one")
    fail_at_d(lab, dataset_path="in.txt")
    (lab.folder / "in.txt").write_text("two")
    lab.run(resume=True)
    assert len(lab.calls()) == 4


def test_an_input_that_changed_while_tasks_ran_makes_their_results_worthless(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("one")
    (lab.folder / "broken").touch()
    change = "[ $0 = b ] && [ -e broken ] && echo two > in.txt; "
    lab.shell(change + FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, dataset_path="in.txt")
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
    lab.shell(change + FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, dataset_path="data")
    with pytest.raises(JobFailed):
        lab.run()
    lab.calls()
    (lab.folder / "broken").unlink()
    (lab.folder / "data" / "sub" / "x").write_text("one")
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run c", "run d"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("x")], ids=["gone", "changed"])
def test_a_task_whose_output_was_touched_runs_again(lab: Lab, damage: Any) -> None:
    fail_at_d(lab, export_path="out")
    damage(lab.folder / "out/b.txt")
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run d"]
    assert models(lab) == [f"model {name}" for name in "abcd"]


DEFINED = """
class Asks(Shell):
    def tasks(self, run_type, run_obj=None):
        told = Path("told.txt").read_text()
        spec = self.work_dir / "spec.txt"
        spec.write_text(Path("spec.txt").read_text())
        for task in super().tasks(run_type):
            yield Task(task.name, (*task.argv, f"--config={spec}", told), task.outputs)
"""


@pytest.mark.parametrize(("changed", "runs"), [(None, ["run d"]), ("told.txt", 4), ("spec.txt", 4)])
def test_a_task_that_is_told_something_else_runs_again(lab: Lab, changed: str | None, runs: Any) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        file.write(DEFINED)
    for name in ("told.txt", "spec.txt"):
        (lab.folder / name).write_text("one")
    (lab.folder / "broken").touch()
    lab.shell(FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, type="./shell.py:Asks")
    with pytest.raises(JobFailed):
        lab.run()
    lab.calls()
    (lab.folder / "broken").unlink()
    if changed is not None:
        (lab.folder / changed).write_text("two")
    lab.run(resume=True)
    assert lab.calls() == (runs if isinstance(runs, list) else [f"run {name}" for name in "abcd"])


def test_what_others_add_to_a_folder_that_a_task_wrote_changes_nothing_and_what_they_take_away_does(lab: Lab) -> None:
    script = "echo run $0 >> calls.log; mkdir -p $1; echo x > $1/model; echo y > $1/more; "
    script += "[ $0 = c ] && [ -e broken ] && exit 3; exit 0"
    text = (lab.folder / "shell.py").read_text()
    (lab.folder / "shell.py").write_text(text.replace("Path(task.outputs[0]).read_text()", "task.outputs[0]"))
    (lab.folder / "broken").touch()
    lab.shell(script, export_path="out", launcher={"max_parallel": 1})
    with pytest.raises(JobFailed):
        lab.run()
    (lab.folder / "broken").unlink()
    lab.calls()
    (lab.folder / "out/a.txt/evaluation").write_text("by another job")
    (lab.folder / "out/b.txt/more").unlink()
    lab.run(resume=True)
    assert lab.calls() == ["run b", "run c"]


@pytest.mark.parametrize(
    "given",
    ["str(spec.parent)", "f'@{spec}'", "f'x=y={spec}'", "f'{spec},other'", "f'file://{spec.absolute()}'", "'unsaid'"],
)
def test_whatever_is_written_for_tasks_counts_however_they_are_told_of_it(lab: Lab, given: str) -> None:
    with (lab.folder / "shell.py").open("a") as file:
        text = DEFINED.replace('f"--config={spec}"', given).replace('/ "spec.txt"', '/ "told" / "spec.txt"', 1)
        file.write(text.replace("        spec.write", "        spec.parent.mkdir(exist_ok=True)\n        spec.write"))
    for name in ("told.txt", "spec.txt"):
        (lab.folder / name).write_text("one")
    fail_at_d(lab, type="./shell.py:Asks")
    (lab.folder / "broken").touch()
    with pytest.raises(JobFailed):
        lab.run(resume=True)
    assert lab.calls() == ["run d"]
    (lab.folder / "broken").unlink()
    (lab.folder / "spec.txt").write_text("two")
    lab.run(resume=True)
    assert len(lab.calls()) == 4


def test_a_variable_that_tasks_get_from_outside_counts_unless_it_is_secret(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "1")
    monkeypatch.setenv("HF_TOKEN", "token-one")
    fail_at_d(lab, keep_env=["SIZE", "HF_TOKEN"])
    monkeypatch.setenv("HF_TOKEN", "token-two")
    (lab.folder / "broken").touch()
    with pytest.raises(JobFailed):
        lab.run(resume=True)
    assert lab.calls() == ["run d"]
    (lab.folder / "broken").unlink()
    monkeypatch.setenv("SIZE", "2")
    lab.run(resume=True)
    assert len(lab.calls()) == 4


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
    assert models(lab) == [["ckpt-1", "data", "empty", "latest"]] * 2
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
    fail_at_d(lab)
    for _ in range(2):
        (lab.folder / "broken").touch()
        with pytest.raises(JobFailed):
            lab.run(resume=True)
    (lab.folder / "broken").unlink()
    lab.run(resume=True)
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert [watcher.history(f"train.{name}.size") for name in "abcd"] == [[(None, 7)]] * 4


# -- killed ------------------------------------------------------------------------------------------------------------------

HANG = """
echo run $0 >> calls.log; echo loss 1 0.5
case $0 in c|d) if [ -e hang ]; then echo half > $1; echo $$ > $0.pid; while :; do sleep 0.01; done; fi;; esac
echo loss 2 0.25; echo model $0 > $1
"""


def kill_in_the_middle(lab: Lab, *options: str, **config: Any) -> None:
    """Kill a run of five tasks when two have finished and two are at work."""
    (lab.folder / "hang").touch()
    lab.shell(HANG, names=list("abcde"), launcher={"max_parallel": 2, "cpus": 2}, **config)
    process = subprocess.Popen([sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", *options], cwd=lab.folder)
    pids = [lab.folder / "c.pid", lab.folder / "d.pid"]
    while not all(pid.exists() and pid.read_text().endswith("\n") for pid in pids):
        assert process.poll() is None
        os.sched_yield()
    process.kill()
    process.wait()
    for pid in pids:
        while _is_alive(int(pid.read_text())):
            os.sched_yield()
        pid.unlink()
    (lab.folder / "hang").unlink()


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("export_path", [None, "out"], ids=["in the job's own folder", "in an output folder"])
def test_a_run_killed_in_the_middle_of_its_tasks_goes_on_with_those_that_had_not_finished(
    lab: Lab, export_path: str | None
) -> None:
    kill_in_the_middle(lab, export_path=export_path)
    assert sorted(lab.calls()) == ["run a", "run b", "run c", "run d"]
    lab.run(resume=True)
    assert sorted(lab.calls()) == ["run c", "run d", "run e"]
    assert models(lab) == [f"model {name}" for name in "abcde"]
    resumed = djsandbox.SandboxWatcher(lab.work_dir)
    assert resumed.query("train") == {name: {"loss": 0.25} for name in "abcde"}
    assert [resumed.history(f"train.{name}.loss") for name in "abcde"] == [[(1, 0.5), (2, 0.25)]] * 5
    context = lab.context_infos()
    lab.run(resume=True)
    assert lab.calls() == []
    assert lab.context_infos() == context


def test_a_run_killed_twice_keeps_what_it_had_taken_over_when_it_was_killed_again(lab: Lab) -> None:
    kill_in_the_middle(lab)
    assert sorted(lab.calls()) == ["run a", "run b", "run c", "run d"]
    kill_in_the_middle(lab, "--resume")
    assert sorted(lab.calls()) == ["run c", "run d"]
    lab.run(resume=True)
    assert sorted(lab.calls()) == ["run c", "run d", "run e"]
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert [watcher.history(f"train.{name}.loss") for name in "abcde"] == [[(1, 0.5), (2, 0.25)]] * 5
