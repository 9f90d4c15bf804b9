"""What a task is told: when any of it has changed, the task runs again on resume."""

from __future__ import annotations

from typing import Any

import pytest
from djsandbox.errors import JobFailed

Lab = Any

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
    lab.shell(lab.FAIL_D, names=list("abcd"), launcher={"max_parallel": 1}, type="./shell.py:Asks")
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
    lab.fail_at_d(type="./shell.py:Asks")
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
    lab.fail_at_d(keep_env=["SIZE", "HF_TOKEN"])
    monkeypatch.setenv("HF_TOKEN", "token-two")
    (lab.folder / "broken").touch()
    with pytest.raises(JobFailed):
        lab.run(resume=True)
    assert lab.calls() == ["run d"]
    (lab.folder / "broken").unlink()
    monkeypatch.setenv("SIZE", "2")
    lab.run(resume=True)
    assert len(lab.calls()) == 4


def test_a_finished_job_is_repeated_where_a_variable_that_its_tasks_were_told_has_changed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIZE", "1")
    monkeypatch.setenv("HF_TOKEN", "token-one")
    lab.shell(lab.NOTED, names=["a"], keep_env=["SIZE", "HF_TOKEN", "UNSET"])
    lab.run()
    monkeypatch.setenv("HF_TOKEN", "token-two")
    assert lab.run(resume=True).executed == ()
    for name, value in (("SIZE", "2"), ("UNSET", "now set")):
        monkeypatch.setenv(name, value)
        assert lab.run(resume=True).executed == ("anonymous/execution/0",)
    reasons = [event["reason"] for event in lab.journal() if event["event"] == "job_started"]
    assert reasons[1:] == [f"the environment variable {name} has another value now" for name in ("SIZE", "UNSET")]
    assert "token" not in (lab.work_dir / "journal.jsonl").read_text()
