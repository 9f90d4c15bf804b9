"""A trial's values arrive also where a recipe is only known at run, and keep what a refiner found."""

import json
from typing import Any

import djsandbox

Lab = Any

MAX_LEN = "length_filter.max_len"

REFINED = """
hpo_config: sweep.yaml
probe_job_configs:
  - hook: ProbeViaAnalyzerHook
    meta_name: refine
    extra_configs: {type: "./parts.py:Analyse"}
    dj_configs: {export_path: out/analysed.txt}
refine_recipe_job_configs:
  - hook: RefineRecipeViaKSigmaHook
    meta_name: refine
    output: recipe
    dj_configs: {export_path: out/shown.txt, process: [length_filter]}
    extra_configs: {type: "./parts.py:Refine", target: refined.json}
execution_job_configs:
  - hook: ProcessDataHook
    meta_name: show
    input: {dj_configs: anonymous.refine.recipe}
    output: path
    extra_configs: {type: "./parts.py:Show"}
evaluation_job_configs:
  - hook: EvaluateDataHook
    meta_name: score
    output: [value, words]
    extra_configs: {type: "./parts.py:Score", dataset_path: parts.py}
"""

DROPPING = """

class Drop(BaseRecipeRefiner):
    \"\"\"Writes the last op of a recipe: not what is foreseen.\"\"\"

    class Config(ComponentConfig):
        target: OutputPath

    def planned_outputs(self):
        return self.config.target

    def run(self, recipe, feedback):
        Path(self.config.target).write_text(json.dumps({**recipe, "process": recipe["process"][-1:]}))
        return self.config.target
"""


def test_the_short_form_sets_an_op_in_a_recipe_that_a_refiner_writes(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "sandbox.yaml").write_text(REFINED)
    sweep_lab.sweep([{MAX_LEN: 7}, {MAX_LEN: 8}], parameters={MAX_LEN: {"values": [7, 8]}})
    sweep_lab.run()
    shown = [json.loads(call) for call in sweep_lab.calls() if call.startswith("[")]
    assert shown == [
        [{"other_op": {}}, {"length_filter": {"max_len": 7, "min_len": 1}}],
        [{"other_op": {}}, {"length_filter": {"max_len": 8, "min_len": 1}}],
    ]


def test_it_is_said_when_only_the_run_can_tell_whether_there_is_such_an_op(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "sandbox.yaml").write_text(REFINED.replace("process: [length_filter]", "process: [some_filter]"))
    sweep_lab.sweep([], parameters={"length_filter.max_len": {"values": [7, 8]}})
    (warning,) = djsandbox.validate("sandbox.yaml")
    assert warning.message == "whether a recipe has the op 'length_filter' is only known at run: anonymous/execution/0"


def test_the_best_config_sets_it_there_as_well(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "sandbox.yaml").write_text(REFINED)
    sweep_lab.sweep([{MAX_LEN: 7}], parameters={MAX_LEN: {"values": [7, 8]}})
    best = sweep_lab.run().best_config
    sweep_lab.calls()
    djsandbox.run(best)
    assert '[{"other_op": {}}, {"length_filter": {"max_len": 7, "min_len": 1}}]' in sweep_lab.calls()


def test_an_op_that_a_refiner_drops_is_left_out_there_and_in_the_best_config(sweep_lab: Lab) -> None:
    config = REFINED.replace("process: [length_filter]", "process: [{length_filter: {}}, {other_op: {}}]")
    (sweep_lab.folder / "sandbox.yaml").write_text(config.replace("parts.py:Refine", "parts.py:Drop"))
    with (sweep_lab.folder / "parts.py").open("a") as parts:
        parts.write(DROPPING)
    sweep_lab.sweep(
        [{"length_filter.max_len": 7, "other_op.most": 3}],
        parameters={"length_filter.max_len": {"values": [7]}, "other_op.most": {"values": [3]}},
    )
    best = sweep_lab.run().best_config
    djsandbox.run(best)
    djsandbox.run(sweep_lab.run(resume=True).best_config)
    assert [call for call in sweep_lab.calls() if call.startswith("[")] == ['[{"other_op": {"most": 3}}]'] * 3
