from typing import Any

Lab = Any


def foretold(**options: Any) -> list[tuple[str, str]]:
    import djsandbox

    return [(job.action, job.reason) for job in djsandbox.plan("sandbox.yaml", **options).jobs]


def test_the_plan_says_what_would_run_and_why(lab: Lab) -> None:
    lab.write(lab.CHAIN)
    assert foretold(resume=True) == [("run", "it has not been run yet"), ("run", "it reads from write, which runs before it")]
    lab.run(lab.CHAIN)
    assert foretold() == [("run", "resume is off"), ("run", "it reads from write, which runs before it")]
    assert foretold(resume=True) == [("reuse", "unchanged since run_0001"), ("reuse", "unchanged since run_0001")]
    (lab.folder / "out/b.txt").unlink()
    assert foretold(resume=True)[1] == ("run", "its output 'out/b.txt' is gone")
    lab.write(lab.CHAIN.replace("hello", "bye"))
    assert foretold(resume=True)[0] == ("run", "changed since run_0001: config")


def test_the_plan_says_how_many_tasks_of_an_unfinished_job_are_done(lab: Lab) -> None:
    lab.fail_at_d()
    assert foretold(resume=True) == [("run", "it was not finished; 3 of its tasks are done")]
    assert foretold() == [("run", "resume is off")]
    lab.run(resume=True)
    assert foretold(resume=True) == [("reuse", "unchanged since run_0002")]


def test_planning_writes_nothing(lab: Lab) -> None:
    lab.write(lab.CHAIN)
    before = sorted(path for path in lab.folder.rglob("*") if "__pycache__" not in path.parts)
    foretold(resume=True)
    assert sorted(path for path in lab.folder.rglob("*") if "__pycache__" not in path.parts) == before
