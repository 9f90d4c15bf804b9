"""Where outputs go, and which output a path of the config means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.engine.placement import Placement, Products
from djsandbox.errors import ConfigError

Lab = Any


@pytest.mark.parametrize(
    ("placement", "written", "placed"),
    [
        (Placement(), "out/a.txt", "out/a.txt"),
        (Placement(), "iter_3/a.txt", "iter_3/a.txt"),
        (Placement(iteration=2), "out/a.txt", "out/iter_2/a.txt"),
        (Placement(iteration=2), "out/pools/", "out/pools/iter_2"),
        (Placement(iteration=2), "a.txt", "./iter_2/a.txt"),
        (Placement(iteration=2), "out/iter_1/a.txt", "out/iter_2/a.txt"),
        (Placement(iteration=2), "iter_1/out/a.txt", "iter_1/out/iter_2/a.txt"),
        (Placement(iteration=2), "trial_1/a.txt", "trial_1/iter_2/a.txt"),
        (Placement(iteration=2, trial=7), "out/a.txt", "out/trial_7/iter_2/a.txt"),
        (Placement(trial=7), "out/trial_7/a.txt", "out/trial_7/a.txt"),
        (Placement(trial=7), "out/trial_3/a.txt", "out/trial_3/trial_7/a.txt"),
    ],
)
def test_an_output_is_placed_once_and_folders_of_the_users_own_stay(placement: Placement, written: str, placed: str) -> None:
    assert placement.place(written) == placed
    assert placement.place(placement.place(written)) == placed


def test_a_path_means_an_output_with_or_without_the_folder_of_an_iteration() -> None:
    products = Products(Placement(iteration=2, trial=7))
    products.add("job", "out/trial_7/iter_2/a.txt")
    products.add("pools", "out/pools/trial_7/iter_2")
    for spelt in ("out/a.txt", "out/iter_1/a.txt", "./out/trial_7/iter_2/a.txt"):
        assert products.producer(spelt) == "job"
    for other in ("out/trial_3/a.txt", "iter_1/out/a.txt", "out/b/a.txt"):
        assert products.producer(other) is None
    assert products.actual("out/pools/iter_1/part.txt") == str(Path("out/pools/trial_7/iter_2/part.txt"))


TWO = """
    max_iter_num: 2
    execution_job_configs:
      - hook: GeneralDataExecutorHook
        meta_name: one
        output: path
        extra_configs: {type: "./parts.py:Write", export_path: trial_1/out.txt, text: one}
      - hook: GeneralDataExecutorHook
        meta_name: two
        output: path
        extra_configs: {type: "./parts.py:Write", export_path: trial_2/out.txt, text: two}
      - hook: GeneralDataExecutorHook
        meta_name: upper
        output: path
        extra_configs: {type: "./parts.py:Upper", dataset_path: trial_1/out.txt, export_path: upper.txt}
"""


def test_two_folders_of_the_users_own_that_look_like_trials_are_two(lab: Lab) -> None:
    lab.run(TWO)
    assert Path("iter_2/upper.txt").read_text() == "ONE"
    assert Path("trial_2/iter_2/out.txt").read_text() == "two"


def test_two_outputs_that_would_be_placed_at_one_path_are_refused(lab: Lab) -> None:
    text = TWO.replace("trial_", "iter_")
    lab.write(text)
    with pytest.raises(ConfigError, match=r"writes 'iter_1/out.txt' and .* 'iter_2/out.txt', and both would be placed at"):
        djsandbox.validate("sandbox.yaml")
    lab.write(text.replace("max_iter_num: 2", ""))
    assert djsandbox.validate("sandbox.yaml") == ()


def test_what_an_old_trial_left_can_be_read_beside_a_new_output_of_that_name(lab: Lab) -> None:
    Path("out/trial_3").mkdir(parents=True)
    Path("out/trial_3/a.txt").write_text("old")
    lab.run(lab.CHAIN.replace("{extra_configs.dataset_path: -1.path}", "{}").replace(
        'Upper", export_path', 'Upper", dataset_path: out/trial_3/a.txt, export_path'))  # fmt: skip
    assert Path("out/b.txt").read_text() == "OLD"


HANDS = '''

class Configure(BaseDataExecutor):
    """Writes a config file that says how often it was asked."""

    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self):
        note("configure")
        asked = Path("calls.log").read_text().split("\\n").count("configure")
        Path(self.config.export_path).write_text(json.dumps({"type": "../../parts.py:Give", "value": asked}))
        return self.config.export_path
'''


def test_a_block_that_is_handed_over_is_that_of_the_iteration_before(lab: Lab) -> None:
    lab.edit_parts("class Fail(", HANDS.strip() + "\n\n\nclass Fail(")
    first = {"type": "./parts.py:Give", "value": 0}
    (lab.folder / "first.json").write_text(json.dumps(first))
    lab.write(
        json.dumps(
            {
                "max_iter_num": 3,
                "iter_updater": {"anonymous.make.path": "anonymous.give.extra_configs"},
                "execution_job_configs": [
                    {
                        "hook": "GeneralDataExecutorHook",
                        "meta_name": "make",
                        "output": "path",
                        "extra_configs": {"type": "./parts.py:Configure", "export_path": "out/made.json"},
                    }
                ],
                "evaluation_job_configs": [
                    {"hook": "EvaluateDataHook", "meta_name": "give", "output": "value", "extra_configs": "first.json"}
                ],
            }
        )
    )
    lab.run()
    contexts = [json.loads((lab.work_dir / "context" / f"iter_{n}.json").read_text()) for n in (1, 2, 3)]
    assert [context["anonymous"][1]["value"] for context in contexts] == [0, 1, 2]
