"""Iterations: each in folders of its own, each handing on to the next, until the targets are met."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed, SandboxError

Lab = Any

PARTS = '''
import os
from pathlib import Path

from djsandbox import BaseDataExecutor, BaseEvaluator, ComponentConfig, InputPath, OutputPath


def note(name):
    with open("calls.log", "a") as log:
        log.write(name + "\\n")


class Append(BaseDataExecutor):
    """Copies a file and appends a letter."""

    deterministic = True

    class Config(ComponentConfig):
        dataset_path: InputPath
        export_path: OutputPath

    def run(self):
        note("append")
        assert not (os.path.exists("fail") and "iter_1" in self.config.dataset_path)
        Path(self.config.export_path).write_text(Path(self.config.dataset_path).read_text() + "x")
        return self.config.export_path


class Length(BaseEvaluator):
    """Counts the letters."""

    deterministic = True

    class Config(ComponentConfig):
        dataset_path: InputPath

    def run(self, eval_type, eval_obj=None, **kwargs):
        note("length")
        if os.path.exists("die") and "iter_3" in self.config.dataset_path:
            os.kill(os.getpid(), 9)
        return {"letters": len(Path(self.config.dataset_path).read_text())}


class Once(BaseDataExecutor):
    """Does not depend on the iteration."""

    deterministic = True

    class Config(ComponentConfig):
        dataset_path: InputPath | None = None
        export_path: OutputPath

    def run(self):
        note("once")
        Path(self.config.export_path).write_text("the same")
        return self.config.export_path
'''

GROW = """
    max_iter_num: {max_iter_num}
    iter_targets: {targets}
    iter_updater:
      anonymous.grow.text: anonymous.grow.extra_configs.dataset_path
    execution_job_configs:
      - hook: GeneralDataExecutorHook
        meta_name: grow
        output: text
        extra_configs: {{type: "./more.py:Append", dataset_path: start.txt, export_path: out/text.txt}}
    evaluation_job_configs:
      - hook: EvaluateDataHook
        meta_name: length
        output: result
        input: {{extra_configs.dataset_path: -1.text}}
        extra_configs: {{type: "./more.py:Length"}}
"""


@pytest.fixture
def more(lab: Lab) -> Lab:
    (lab.folder / "more.py").write_text(PARTS)
    (lab.folder / "start.txt").write_text("")
    return lab


def grow(max_iter_num: int, *targets: str) -> str:
    return GROW.format(max_iter_num=max_iter_num, targets=json.dumps(targets))


def texts(name: str, *iterations: int) -> list[str]:
    return [Path(f"out/iter_{number}/{name}.txt").read_text() for number in iterations]


def test_each_iteration_gets_what_the_one_before_made_and_writes_beside_it(more: Lab) -> None:
    result = more.run(grow(3))
    assert texts("text", 1, 2, 3) == ["x", "xx", "xxx"]
    assert not Path("out/text.txt").exists()
    assert (result.iterations, result.targets_met) == (3, None)
    kept = [json.loads((more.work_dir / f"context/iter_{number}.json").read_text()) for number in (1, 2, 3)]
    assert [context["anonymous"][1]["result"]["letters"] for context in kept] == [1, 2, 3]
    assert more.context_infos() == kept[-1]


def test_it_ends_when_the_target_is_met(more: Lab) -> None:
    result = more.run(grow(10, "anonymous.length.result.letters >= 2"))
    assert (result.iterations, result.targets_met) == (2, True)


def test_zero_iterations_means_until_the_targets_are_met(more: Lab) -> None:
    assert more.run(grow(0, "anonymous.length.result.letters == 4")).iterations == 4


@pytest.mark.parametrize(("mode", "iterations"), [("all", 3), ("any", 1)])
def test_all_targets_or_any_of_them(more: Lab, mode: str, iterations: int) -> None:
    more.write(grow(5, "anonymous.length.result.letters > 2", "anonymous.length.result.letters < 10"))
    assert djsandbox.run("sandbox.yaml", iter_targets_mode=mode).iterations == iterations


def test_a_target_that_is_never_met_ends_with_the_last_iteration_and_says_so(more: Lab) -> None:
    result = more.run(grow(2, "anonymous.length.result.letters < 0"))
    assert (result.iterations, result.targets_met) == (2, False)


def test_targets_without_a_number_of_iterations_are_doubted(more: Lab) -> None:
    text = grow(1, "anonymous.length.result.letters < 0")
    more.write(text)
    assert djsandbox.validate("sandbox.yaml") == ()  # one iteration is what was asked for
    more.write(text.replace("max_iter_num: 1", ""))
    [warning, _] = djsandbox.validate("sandbox.yaml")  # the other is about the updater
    assert warning.severity == "warning" and "can end nothing" in warning.message and "max_iter_num:" in str(warning.fix)
    assert djsandbox.validate("sandbox.yaml", max_iter_num=3) == ()


def test_a_job_that_fails_says_in_which_iteration(more: Lab) -> None:
    more.shell("case $1 in */iter_2/*) exit 3;; esac; echo x > $1", names=["a"], globals={"max_iter_num": 3})
    with pytest.raises(JobFailed, match="job anonymous/execution/0 failed in iteration 2: "):
        more.run()


def test_a_new_run_begins_without_the_contexts_of_a_longer_one(more: Lab) -> None:
    more.run(grow(3))
    more.run(grow(2))
    assert sorted(path.name for path in (more.work_dir / "context").glob("*.json")) == ["iter_1.json", "iter_2.json"]


def test_one_iteration_has_no_folder_of_its_own(more: Lab) -> None:
    more.run(grow(1))
    assert Path("out/text.txt").read_text() == "x"
    assert not (more.work_dir / "context").exists()


def test_a_target_on_what_is_no_number_is_an_error(more: Lab) -> None:
    with pytest.raises(SandboxError, match=r"compares \{'letters': 1\}, which is not a number"):
        more.run(grow(2, "anonymous.length.result > 1"))


def test_a_deterministic_job_that_does_not_change_runs_once_for_all_iterations(more: Lab) -> None:
    result = more.run("""
        max_iter_num: 3
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            meta_name: once
            output: path
            extra_configs: {type: "./more.py:Once", export_path: out/once.txt}
          - hook: GeneralDataExecutorHook
            input: {extra_configs.dataset_path: -1.path}
            extra_configs: {type: "./more.py:Once", export_path: out/again.txt}
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./more.py:Append", dataset_path: ./out/once.txt, export_path: out/third.txt}
    """)
    assert more.calls() == ["once", "once", "append"]
    assert texts("third", 1, 2, 3) == ["the samex"] * 3
    assert result.context["anonymous"][0]["path"] == "out/iter_3/once.txt"


def test_a_path_of_the_config_means_this_iterations_output_however_it_is_spelt(more: Lab) -> None:
    more.run("""
        max_iter_num: 2
        iter_updater: {anonymous.grow.text: anonymous.grow.extra_configs.dataset_path}
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            meta_name: grow
            output: text
            extra_configs: {type: "./more.py:Append", dataset_path: start.txt, export_path: out/text.txt}
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./more.py:Append", dataset_path: out/iter_1/text.txt, export_path: out/iter_1/more.txt}
    """)
    assert texts("more", 1, 2) == ["xx", "xxx"]
    assert not list(Path("out").glob("iter_*/iter_*"))


def test_resumed_it_goes_on_inside_the_iteration_it_was_in(more: Lab) -> None:
    more.write(grow(4))
    Path("die").touch()
    done = subprocess.run([sys.executable, "-m", "djsandbox", "run", "sandbox.yaml"], capture_output=True, check=False)
    assert done.returncode == -9
    assert more.calls() == ["append", "length"] * 3
    Path("die").unlink()
    result = djsandbox.run("sandbox.yaml", resume=True)
    assert more.calls() == ["length", "append", "length"]
    assert texts("text", 1, 2, 3, 4) == ["x", "xx", "xxx", "xxxx"]
    assert result.context["anonymous"][1]["result"] == {"letters": 4}
    assert djsandbox.run("sandbox.yaml", resume=True).executed == ()


def test_job_folders_and_logs_of_iterations_are_kept_apart(more: Lab) -> None:
    more.run(grow(2))
    logs = sorted(str(path.relative_to(more.work_dir)) for path in (more.work_dir / "logs").rglob("*.log"))
    stages = ("evaluation", "execution")
    assert logs == [f"logs/iter_{number}/anonymous/{stage}/0/run_0001.log" for number in (1, 2) for stage in stages]


def test_a_failing_iteration_keeps_what_the_earlier_ones_made(more: Lab) -> None:
    Path("fail").touch()
    with pytest.raises(JobFailed):
        more.run(grow(3))
    assert more.calls() == ["append", "length", "append"]
    assert json.loads((more.work_dir / "context/iter_1.json").read_text())["anonymous"][1]["result"] == {"letters": 1}
