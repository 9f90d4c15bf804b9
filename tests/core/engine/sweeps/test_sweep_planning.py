"""Everything that a sweep's trials could stumble over is said before the first of them, with its place."""

from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any

MAX_LEN = "length_filter.max_len"
BONUS = "anonymous.score.extra_configs.bonus"


def refusal(**options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml", **options)
    return str(caught.value)


def line_of(lab: Lab, text: str, name: str = "sweep.yaml") -> str:
    lines = (lab.folder / name).read_text().splitlines()
    return f"{name}:{next(at for at, line in enumerate(lines, start=1) if text in line)}: "


def test_a_good_sweep_is_accepted(sweep_lab: Lab) -> None:
    sweep_lab.sweep([{MAX_LEN: 2}])
    assert djsandbox.validate("sandbox.yaml") == ()


def test_a_sweep_file_that_is_not_there_is_named_with_its_place(sweep_lab: Lab) -> None:
    assert refusal().startswith(line_of(sweep_lab, "hpo_config", "sandbox.yaml") + "the sweep file 'sweep.yaml' does not exist")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("lenght_filter.max_len", "addresses nothing\n    no recipe has the op 'lenght_filter': did you mean 'length_filter'?"),
        ("bonus", "the parameter 'bonus' addresses nothing"),
        ("anonymous.scores.extra_configs.bonus", "'anonymous.scores' addresses no job"),
        ("anonymous.score.extra_configs", "is a whole block"),
        ("length_filter..max_len", "is no address: a part of it is empty"),
        ("anonymous.score.extra_configs.api_key", "is a secret, and the values of trials are written down"),
        ("anonymous.score.extra_configs.bonsu", "did you mean 'bonus'?"),
        ("anonymous.score.extra_configs.dataset_path", "and so does its 'input'"),
    ],
)
def test_a_parameter_that_addresses_nothing_is_refused(sweep_lab: Lab, parameter: str, message: str) -> None:
    sweep_lab.sweep([], parameters={parameter: {"min": 1, "max": 6}})
    said = refusal()
    assert message in said
    assert line_of(sweep_lab, parameter) in said


def test_two_parameters_for_one_place_are_refused(sweep_lab: Lab) -> None:
    whole = "anonymous.filter.dj_configs.process.0.length_filter.max_len"
    sweep_lab.sweep([], parameters={MAX_LEN: {"values": [1]}, whole: {"values": [2]}})
    assert f"'{whole}' sets 'dj_configs.process.0.length_filter.max_len' of anonymous/execution/0" in refusal()


@pytest.mark.parametrize("place", ["extra_configs.bonus", "extra_configs"])
def test_a_parameter_for_what_the_updater_sets_is_refused(sweep_lab: Lab, place: str) -> None:
    sweep_lab.sweep([], parameters={BONUS: {"values": [1.0]}})
    sweep_lab.edit(
        "hpo_config:", f"max_iter_num: 2\niter_updater: {{anonymous.score.value: anonymous.score.{place}}}\nhpo_config:"
    )
    assert "and so does the 'iter_updater'" in refusal()


def test_every_value_that_a_component_would_refuse_is_found(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], parameters={BONUS: {"values": [1.0, "much", 2.0]}})
    assert line_of(sweep_lab, BONUS) in refusal()
    assert "bonus" in refusal()


def test_a_bound_that_a_component_would_refuse_is_found(sweep_lab: Lab) -> None:
    sweep_lab.edit("bonus: float = 0.0", "bonus: float = pydantic.Field(default=0.0, le=3)", "parts.py")
    sweep_lab.edit("import json", "import json, pydantic", "parts.py")
    sweep_lab.sweep([], parameters={BONUS: {"min": 0.0, "max": 3.5}})
    assert "less than or equal to 3" in refusal()


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("anonymous.score.valeu", "has no output 'valeu'\n    did you mean 'value'?"),
        ("anonymous.scores.value", "did you mean 'score'?"),
        ("quality_score", "no job produces the metric 'quality_score'"),
        ("score", "'score' is a job, not a metric"),
        ("anonymous.score.value.", "is not a reference"),
    ],
)
def test_a_metric_that_nobody_produces_is_refused(sweep_lab: Lab, metric: str, message: str) -> None:
    sweep_lab.sweep([], metric={"name": metric})
    said = refusal()
    assert message in said
    assert line_of(sweep_lab, "metric") in said or line_of(sweep_lab, "name: ") in said


def test_a_metric_that_is_known_to_be_no_number_is_refused(sweep_lab: Lab) -> None:
    sweep_lab.edit('        note(f"filter {most}")', '        note(f"filter {most}")\n', "parts.py")
    sweep_lab.edit(
        '    def run(self):\n        note("analyse")',
        '    def planned_outputs(self):\n        return self.config.export_path\n\n    def run(self):\n        note("analyse")',
        "parts.py",
    )
    sweep_lab.sweep([], metric={"name": "anonymous.analysis.path"})
    assert "'anonymous.analysis.path' is 'out/analysed.txt', which is not a number" in refusal()


def test_a_metric_that_is_annotated_as_no_number_is_refused(sweep_lab: Lab) -> None:
    sweep_lab.edit(
        '    def run(self):\n        note("analyse")', '    def run(self) -> str:\n        note("analyse")', "parts.py"
    )
    sweep_lab.sweep([], metric={"name": "anonymous.analysis.path"})
    assert "'anonymous.analysis.path' is a text, which is not a number" in refusal()


def test_early_termination_needs_a_job_that_reports_on_the_way(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], early_terminate={"type": "hyperband", "min_iter": 2})
    said = refusal()
    assert "no job reports 'score.value' before it has ended" in said
    assert "score.loss" in said
    assert line_of(sweep_lab, "early_terminate") in said


def test_early_termination_on_a_reported_metric_is_accepted(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], metric={"name": "score.loss"}, early_terminate={"type": "hyperband", "min_iter": 2}, run_cap=3)
    assert djsandbox.validate("sandbox.yaml") == ()


def test_a_backend_that_is_not_there_is_refused(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], sweeper={"type": "optunna"})
    assert "sweeper 'optunna'" in refusal()
    assert line_of(sweep_lab, "sweeper") in refusal() or line_of(sweep_lab, "type: optunna") in refusal()


def test_an_option_that_a_backend_does_not_have_is_refused(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], sweeper={"trails": []})
    assert line_of(sweep_lab, "trails") in refusal()
    assert "did you mean 'trials'?" in refusal()


def test_what_is_wrong_with_config_and_sweep_is_said_together(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], metric={"name": "nobody"}, parameters={"nothing.at_all": {"min": 0.0, "max": 1.0}}, method="grid")
    sweep_lab.edit("EvaluateDataHook", "EvaluateDatHook")
    said = refusal()
    assert "EvaluateDatHook" in said
    assert "nothing.at_all" in said
    assert "grid" in said


def test_a_plan_says_what_runs_once_and_what_in_every_trial(sweep_lab: Lab) -> None:
    sweep_lab.sweep([{MAX_LEN: 2}])
    reasons = [job.reason for job in djsandbox.plan("sandbox.yaml").jobs]
    assert reasons[0].startswith("once")
    assert reasons[1] == "in every trial: the parameters change it"
    assert reasons[2] == "in every trial: it is not known to give the same result again"
    assert not sweep_lab.work_dir.exists()


def test_a_place_that_the_command_line_sets_cannot_be_searched(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], parameters={BONUS: {"values": [1.0, 2.0]}})
    said = refusal(settings=["score.extra_configs.bonus=100"])
    assert (
        f"'{BONUS}' sets 'extra_configs.bonus' of anonymous/evaluation/0, and so does --set score.extra_configs.bonus" in said
    )


def test_a_metric_that_nobody_declares_is_doubted(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], metric={"name": "score.nonsense"})
    (warning,) = djsandbox.validate("sandbox.yaml")
    assert warning.message == "whether a job records the metric 'score.nonsense' is only known when it has run"


def test_one_bad_value_among_many_is_found(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], parameters={BONUS: {"values": [*range(1, 56), "much", 57]}})
    assert "bonus" in refusal()


def test_a_sweep_file_that_contains_itself_is_refused(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "sweep.yaml").write_text("method: random\nparameters: &p {a: {parameters: *p}}\n")
    assert "an alias contains itself" in refusal()


def test_all_that_can_be_wrong_with_a_sweep_is_said_at_once(sweep_lab: Lab) -> None:
    sweep_lab.edit("hpo_config:", 'max_iter_num: 2\niter_targets: "anonymous.analysis.path >= 3"\nhpo_config:')
    sweep_lab.edit(
        '    def run(self):\n        note("analyse")',
        '    def planned_outputs(self):\n        return self.config.export_path\n\n    def run(self):\n        note("analyse")',
        "parts.py",
    )
    sweep_lab.sweep(
        [],
        method="grid",
        metric={"name": "anonymous.score.valeu"},
        early_terminate={"type": "hyperband", "min_iter": 2},
        parameters={
            "length_filter.a": {"distribution": "unifrom", "min": 1, "max": 2},
            "length_filter.b": {"min": 0.5, "max": 2.0},
            "lenght_filter.c": {"values": [1]},
            BONUS: {"values": ["much"]},
        },
        sweeper={"type": "optunna"},
        run_capp=3,
    )
    said = refusal()
    for message in (
        "unknown distribution 'unifrom'",
        "a grid cannot go through uniform",
        "addresses nothing",
        "'anonymous.analysis.path'",
        "has no output 'valeu'",
        "no job reports 'score.valeu' before it has ended",
        "'bonus' must be a number",
        "sweeper 'optunna'",
        "unknown key 'run_capp'",
    ):
        assert message in said
    assert len(said.splitlines()) < 25


def test_of_many_wrong_values_of_a_parameter_one_is_named(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], parameters={BONUS: {"values": [f"much {number}" for number in range(100)]}})
    assert refusal().count("bonus") == 1


def test_an_option_of_the_sweeper_is_checked_although_the_sweep_is_not_whole(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], sweeper={"trails": []}, method="grdi")
    assert "did you mean 'trials'?" in refusal()
    assert "unknown method 'grdi'" in refusal()


def test_what_is_wrong_in_a_block_is_named_with_it(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], early_terminate="hyperband", metric={"name": "score.loss", "gaol": "maximize"})
    assert "'early_terminate' must be a mapping (key: value), not a text ('hyperband')" in refusal()
    assert "unknown key 'metric.gaol'\n    did you mean 'goal'?" in refusal()


def test_a_folder_is_no_sweep_file(sweep_lab: Lab) -> None:
    sweep_lab.edit("hpo_config: sweep.yaml", "hpo_config: .")
    assert "the sweep file '.' is a folder" in refusal()


def test_a_pipeline_and_a_job_alone_are_no_metric(sweep_lab: Lab) -> None:
    sweep_lab.sweep([], metric={"name": "anonymous.score"})
    assert (
        "no job produces the metric 'anonymous.score'\n    'anonymous.score' is a job: write anonymous.score.output"
        in refusal()
    )
