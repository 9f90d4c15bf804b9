"""What is wrong with targets and updaters is said before anything runs, with its place."""

from textwrap import dedent
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError, SandboxError

Lab = Any


SCORE = """

class Score(BaseEvaluator):
    def planned_outputs(self):
        from djsandbox import DECIDED_AT_RUN
        return [{"accuracy": DECIDED_AT_RUN, "counts": {"all": DECIDED_AT_RUN}, "name": "first"}]

    def run(self, eval_type, eval_obj=None, **kwargs):
        return [{"accuracy": 0.5, "counts": {"all": 3}, "name": "first"}]


class Secretive(Score):
    def planned_outputs(self):
        from djsandbox import DECIDED_AT_RUN
        return DECIDED_AT_RUN


class Copied(BaseEvaluator):
    \"\"\"Says that it gives its inputs, however many these are.\"\"\"

    class Config(ComponentConfig):
        paths: InputPaths

    def planned_outputs(self):
        return self.config.paths

    def run(self, eval_type, eval_obj=None, **kwargs):
        return self.config.paths
"""

JOBS = """
evaluation_job_configs:
  - {hook: EvaluateDataHook, meta_name: m, output: results, extra_configs: {type: "./parts.py:Score"}}
  - {hook: EvaluateDataHook, meta_name: next, output: given, extra_configs: {type: "./parts.py:Give", value: 1}}
"""


@pytest.fixture
def scored(lab: Lab) -> Lab:
    """With components that say, or do not say, before the run what is in their results."""
    parts = lab.folder / "parts.py"
    parts.write_text(parts.read_text() + SCORE)
    return lab


def problems(lab: Lab, text: str) -> list[str]:
    lab.write(text)
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("targets", ["[a > 1]", "5"])
def test_targets_that_cannot_be_read_are_not_called_missing(lab: Lab, targets: str) -> None:
    (found,) = problems(lab, f"max_iter_num: 0\niter_targets: {targets}\n{dedent(lab.GIVE)}")
    assert found.startswith("sandbox.yaml:2: ") and "there are none" not in found


@pytest.mark.parametrize(
    ("target", "message", "fix"),
    [
        ("results > 1", "'anonymous.m.results' is a list, which is not a number", "anonymous.m.results.0"),
        (
            "results.0 > 1",
            "is a mapping, which is not a number",
            "anonymous.m.results.0.accuracy, anonymous.m.results.0.counts",
        ),
        ("results.0.counts > 1", "is a mapping, which is not a number", "anonymous.m.results.0.counts.all"),
        ("results.0.name > 1", "is 'first', which is not a number", ""),
        ("results.0.accuracyy > 1", "has no key 'accuracyy'", "did you mean 'accuracy'?"),
        ("results.1.accuracy > 1", "has no position '1'", "positions: 0 to 0"),
        ("results.0.name.x > 1", "is a str and has no part 'x'", ""),
    ],
)
def test_a_target_that_can_be_no_number_is_found_before_the_run(scored: Lab, target: str, message: str, fix: str) -> None:
    (found,) = problems(scored, f"max_iter_num: 2\niter_targets: anonymous.m.{target}{JOBS}")
    assert found.startswith("sandbox.yaml:2: ")
    assert message in found and fix in found


ANNOTATED = """

class Annotated(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs) -> %s:
        return {}, 0.5, None
"""


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ("tuple[dict[str, float], float, str | list[str]]", "'anonymous.m.a' is a mapping, which is not a number"),
        ("'tuple[list[str], float, Any]'", "'anonymous.m.a' is a list, which is not a number"),
        ("'tuple[str | None, int, Any]'", "'anonymous.m.a' is a text, which is not a number"),
        ("tuple[str | list[str], int, bool]", "'anonymous.m.a' is a text or a list, which is not a number"),
        ("tuple[pathlib.Path, int, Any]", "'anonymous.m.a' is a path, which is not a number"),
        ("tuple[float, float]", "'output' names 3 results (a, b, c)"),
    ],
)
def test_the_annotation_of_a_component_says_which_of_its_results_are_no_numbers(
    lab: Lab, annotation: str, message: str
) -> None:
    assert message in problems(annotated(lab, annotation), NAMED % "anonymous.m.a > 1")[0]


@pytest.mark.parametrize(
    "annotation", ["tuple[dict[str, float], float, Any]", "tuple", "'NotThere'", "Any", "None", "tuple[str, ...]"]
)
def test_an_annotation_that_says_nothing_of_a_result_leaves_it_to_the_run(lab: Lab, annotation: str) -> None:
    annotated(lab, annotation).write(NAMED % "anonymous.m.b > 1")
    assert djsandbox.validate("sandbox.yaml") == ()


@pytest.mark.parametrize(
    ("annotation", "part", "what"),
    [
        ("dict[str, str]", "a.deep", "a text"),
        ("list[dict[str, float]]", "a.0", "a mapping"),
        ("dict[str, list[pathlib.Path]]", "a.deep", "a list"),
        ("dict[str, dict[str, str]]", "a.deep", "a mapping"),
    ],
)
def test_a_part_of_what_is_annotated_is_known_to_be_no_number(lab: Lab, annotation: str, part: str, what: str) -> None:
    annotated(lab, f"tuple[{annotation}, float, Any]")
    assert f"'anonymous.m.{part}' is {what}, which is not a number" in problems(lab, NAMED % f"anonymous.m.{part} > 1")[0]


@pytest.mark.parametrize(
    ("annotation", "part"),
    [
        ("dict[str, float]", "a.deep"),
        ("list[dict[str, float]]", "a.0.deep"),
        ("dict[str, Any]", "a.deep"),
        ("dict[str, dict[str, float]]", "a.deep.er"),
        ("dict[str, str | float]", "a.deep"),
        ("collections.Counter[str]", "a.deep"),
    ],
)
def test_a_part_of_what_is_annotated_that_may_be_a_number_is_left_to_the_run(lab: Lab, annotation: str, part: str) -> None:
    annotated(lab, f"tuple[{annotation}, float, Any]").write(NAMED % f"anonymous.m.{part} > 1")
    assert djsandbox.validate("sandbox.yaml") == ()


@pytest.mark.parametrize(
    ("annotation", "what"),
    [("float", "a number"), ("int | None", "a number"), ("str", "a text"), ("str | pathlib.Path", "a text or a path")],
)
def test_a_part_of_what_is_annotated_to_have_none_is_found_before_the_run(lab: Lab, annotation: str, what: str) -> None:
    found = problems(annotated(lab, f"tuple[{annotation}, float, Any]"), NAMED % "anonymous.m.a.deep > 1")[0]
    assert f"'anonymous.m.a' is {what} and has no part 'deep'" in found
    found = problems(annotated(lab, annotation), NAMED.replace("[a, b, c]", "a") % "anonymous.m.a.deep > 1")[0]
    assert f"'anonymous.m.a' is {what} and has no part 'deep'" in found


NAMED = """
max_iter_num: 2
iter_targets: %s
evaluation_job_configs:
  - {hook: EvaluateDataHook, meta_name: m, output: [a, b, c], extra_configs: {type: "./parts.py:Annotated"}}
"""


def annotated(lab: Lab, annotation: str) -> Lab:
    parts = lab.folder / "parts.py"
    parts.write_text(f"import collections\nimport pathlib\nfrom typing import Any\n{parts.read_text()}{ANNOTATED % annotation}")
    return lab


@pytest.mark.parametrize("target", ["results.0.accuracy > 0.1", "results.0.counts.all > 1", "results.0.accuracy.deep > 1"])
def test_what_may_be_a_number_is_left_to_the_run(scored: Lab, target: str) -> None:
    scored.write(f"max_iter_num: 2\niter_targets: anonymous.m.{target}{JOBS}")
    assert djsandbox.validate("sandbox.yaml") == ()


def test_an_updater_or_input_of_a_part_that_no_result_has_is_found_before_the_run(scored: Lab) -> None:
    jobs = JOBS.replace("meta_name: next,", "meta_name: next, input: {extra_configs.nested.a: -1.results.0.nme},")
    updater = "iter_updater: {anonymous.m.results.2: anonymous.next.extra_configs.value}"
    updated, linked = problems(scored, f"max_iter_num: 2\n{updater}{jobs}")
    assert updated.startswith("sandbox.yaml:2: ") and "has no position '2'" in updated
    assert linked.startswith("sandbox.yaml:5: ") and "did you mean 'name'?" in linked


def test_how_many_there_will_be_of_what_is_decided_at_run_is_not_guessed(scored: Lab) -> None:
    scored.run("""
        max_iter_num: 2
        iter_targets: anonymous.last.value == 1
        evaluation_job_configs:
          - hook: EvaluateDataHook
            meta_name: files
            output: files
            extra_configs: {type: "./parts.py:Give", value: [parts.py, shell.py]}
          - hook: EvaluateDataHook
            input: {extra_configs.paths: -1.files}
            output: copied
            extra_configs: {type: "./parts.py:Copied", paths: <files>}
          - hook: EvaluateDataHook
            meta_name: last
            input: {extra_configs.nested.path: -1.copied.1}
            output: value
            extra_configs: {type: "./parts.py:Give", value: 1}
    """)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("iter_targets: anonymous.m.results.0.acuracy > 1", "the target 'anonymous.m.results.0.acuracy > 1' cannot be found"),
        (
            "iter_updater: {anonymous.m.results.7: anonymous.next.extra_configs.value}",
            "'anonymous.m.results.7' of iter_updater cannot be found",
        ),
    ],
)
def test_what_only_the_run_can_find_missing_is_named_with_its_place(scored: Lab, line: str, what: str) -> None:
    with pytest.raises(SandboxError) as caught:
        scored.run(f"max_iter_num: 2\n{line}{JOBS.replace('Score', 'Secretive')}")
    assert str(caught.value).startswith("sandbox.yaml:2: ") and what in str(caught.value)


@pytest.mark.parametrize("target", ["== nan", ">= inf", "< -inf"])
def test_a_target_that_nothing_could_meet_is_an_error(scored: Lab, target: str) -> None:
    (found,) = problems(scored, f"max_iter_num: 0\niter_targets: anonymous.m.results.0.accuracy {target}{JOBS}")
    assert found.startswith("sandbox.yaml:2: ") and "no output could be compared with" in found


@pytest.mark.parametrize(("first", "second"), [("value", "value"), ("nested", "nested.a"), ("nested.a", "nested")])
def test_two_outputs_for_one_place_of_a_job_are_an_error(scored: Lab, first: str, second: str) -> None:
    found = problems(
        scored,
        f"""max_iter_num: 2
iter_updater:
  anonymous.m.results.0.accuracy: anonymous.next.extra_configs.{first}
  anonymous.m.results: anonymous.next.extra_configs.{second}{JOBS}""",
    )
    what = f"'extra_configs.{second}' of anonymous/evaluation/1 is given 'anonymous.m.results.0.accuracy', too"
    assert any(problem.startswith(f"sandbox.yaml:4: {what}") for problem in found)


def test_outputs_for_different_places_are_none(scored: Lab) -> None:
    place = "anonymous.next.extra_configs"
    both = f"{{anonymous.m.results: {place}.nested.a, anonymous.m.results.0: {place}.value}}"
    scored.write(f"max_iter_num: 2\niter_updater: {both}{JOBS}")
    assert djsandbox.validate("sandbox.yaml") == ()


def test_an_updater_without_a_number_of_iterations_is_doubted(scored: Lab) -> None:
    text = f"iter_updater: {{anonymous.m.results: anonymous.next.extra_configs.value}}{JOBS}"
    scored.write(text)
    [warning] = djsandbox.validate("sandbox.yaml")
    assert warning.severity == "warning" and "hands nothing on" in warning.message and "max_iter_num:" in str(warning.fix)
    scored.write(f"max_iter_num: 1\n{text}")
    assert djsandbox.validate("sandbox.yaml") == ()  # one iteration is what was asked for
