"""Bad input: one clear message each, with file and line and the remedy, all in one go, exit code 2, and no job has run."""

import json
import textwrap
from pathlib import Path

import pytest
from djsandbox.cli.main import call

JOB = 'hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Give"'

PARTS = '''
from typing import Any

from djsandbox import BaseEvaluator, BaseRecipeRefiner, ComponentConfig, InputPath


class Give(BaseEvaluator):
    """Gives a value."""

    class Config(ComponentConfig):
        value: Any = None
        number: int = 0
        dataset_path: InputPath | None = None

    def run(self, eval_type, eval_obj=None, **kwargs):
        open("it-ran", "w").close()
        return 1


class Refiner(BaseRecipeRefiner):
    def run(self, recipe, feedback):
        return None


class NoEvaluator:
    pass
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)
    return tmp_path


def errors(folder: Path, capsys: pytest.CaptureFixture[str], text: str, command: str = "run") -> list[str]:
    """The messages, each with its remedy on the same line."""
    (folder / "c.yaml").write_text(textwrap.dedent(text))
    assert call([command, "c.yaml"]) == 2
    assert not (folder / "it-ran").exists()
    assert not (folder / "outputs").exists()
    printed = capsys.readouterr().err.replace("\n    ", " | ")
    return [line for line in printed.splitlines() if "error:" in line]


@pytest.mark.parametrize("command", ["run", "validate", "plan"])
def test_everything_that_is_wrong_is_said_in_one_go(folder: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    text = """\
        evaluation_job_configs:
          - {hook: EvaluateDatHook}
          - hook: EvaluateDataHook
            extra_configs: {type: acuracy}
          - hook: EvaluateDataHook
            meta_name: good
            output: score
            extra_configs:
              type: "./parts.py:Give"
              valu: 1
              number: many
          - hook: EvaluateDataHook
            input:
              extra_configs.value: anonymous.god.score
            extra_configs:
              type: "./parts.py:Give"
              dataset_path: missing.jsonl
          - hook: EvaluateDataHook
            input:
              extra_configs.value: anonymous.good.scor
            extra_configs:
              type: "./parts.py:Give"
              dataset_path: <from_somewhere>
          - hook: EvaluateDataHook
            input:
              extra_configs.value: anonymous.later.score
            extra_configs: {type: "./parts.py:Give"}
          - hook: EvaluateDataHook
            meta_name: later
            output: score
            extra_configs: {type: "./parts.py:NoEvaluator"}
          - hook: EvaluateDataHook
            extra_configs: {type: "./parts.py:Giv"}
          - hook: EvaluateDataHook
            extra_configs: not-there.yaml
          - hook: EvaluateDataHook
            input: {extra_configs.value: nowhere.good.score}
            extra_configs: {type: "./parts.py:Give", value: {a: 1}}
            local: {extra_configs.number.x: 1}
    """
    found = errors(folder, capsys, text, command)
    expected = [
        ("c.yaml:2: error: ", "EvaluateDatHook", "did you mean 'EvaluateDataHook'?"),
        ("c.yaml:4: error: ", "acuracy", "accuracy"),
        ("c.yaml:10: error: unknown key 'valu'", "", "did you mean 'value'?"),
        ("c.yaml:11: error: 'number' must be a whole number, not a text ('many')", "", ""),
        ("c.yaml:14: error: no job in pipeline 'anonymous' has the meta_name 'god'", "", "did you mean 'good'?"),
        ("c.yaml:17: error: 'missing.jsonl' does not exist, and no earlier job", "", "check the path"),
        ("c.yaml:20: error: 'anonymous.good.scor'", "has no output 'scor'", "did you mean 'score'?"),
        ("c.yaml:23: error: nothing replaces the placeholder '<from_somewhere>'", "", "let 'input' replace it"),
        ("c.yaml:26: error: 'anonymous.later.score'", "does not run before this job", "move that job up"),
        ("c.yaml:31: error: ", "NoEvaluator", "BaseEvaluator"),
        ("c.yaml:33: error: ", "Giv", "Give"),
        ("c.yaml:35: error: the file 'not-there.yaml' does not exist", "", ""),
        ("c.yaml:37: error: there is no pipeline 'nowhere'", "", "anonymous"),
        ("c.yaml:39: error: 'number' must be a whole number, not a mapping", "", ""),
    ]
    assert len(found) == len(expected), "\n".join(found)
    for line, (start, middle, end) in zip(found, expected, strict=True):
        assert line.startswith(start)
        assert middle in line
        assert end in line


def test_a_list_where_a_mapping_belongs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert errors(folder, capsys, f"evaluation_job_configs:\n  - [{{{JOB}}}}}]\n") == [
        "c.yaml:2: error: expected a mapping (key: value), not a list"
    ]


def test_yaml_that_cannot_be_parsed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = errors(folder, capsys, "evaluation_job_configs:\n  - hook: 'x\n")
    assert line.startswith("c.yaml:3: error: not valid YAML")


def test_a_config_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "nothing.yaml"]) == 2
    assert "nothing.yaml: error: cannot read nothing.yaml: No such file" in capsys.readouterr().err


def test_a_type_of_a_known_plugin_that_is_missing_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from djsandbox.plugins import catalogue

    entry = {"group": "model_train_executors", "type": "far", "package": "djsandbox-far", "description": "Far away."}
    (folder / "catalogue.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(catalogue, "CATALOGUE_FILE", folder / "catalogue.json")
    catalogue.catalogue.cache_clear()
    try:
        (line,) = errors(folder, capsys, "execution_job_configs:\n  - {hook: TrainModelHook, extra_configs: {type: far}}\n")
    finally:
        catalogue.catalogue.cache_clear()
    assert line.startswith("c.yaml:2: error: ")
    assert line.endswith("| pip install djsandbox-far")


def test_two_claimants_of_a_type(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from djsandbox.plugins.index import plugin_index

    site = folder / "site"
    for name in ("first", "second"):
        info = site / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[djsandbox.data_evaluators]\nclaimed = {name}:X\n")
    monkeypatch.syspath_prepend(str(site))
    plugin_index.cache_clear()
    try:
        (line,) = errors(
            folder, capsys, "evaluation_job_configs:\n  - {hook: EvaluateDataHook, extra_configs: {type: claimed}}\n"
        )
    finally:
        plugin_index.cache_clear()
    assert "first:claimed" in line
    assert "second:claimed" in line


def test_a_work_dir_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").touch()
    (line,) = errors(folder, capsys, f"work_dir: file/below\nevaluation_job_configs:\n  - {{{JOB}}}}}\n")
    assert line.startswith("c.yaml:1: error: the work_dir 'file/below' cannot be written: ")


def test_a_refiner_without_an_analysis_to_refine_by(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """\
        refine_recipe_job_configs:
          - hook: RefineRecipeViaKSigmaHook
            meta_name: analysis
            dj_configs: {process: []}
            extra_configs: {type: "./parts.py:Refiner"}
    """
    (line,) = errors(folder, capsys, text)
    assert line.startswith("c.yaml:3: error: no earlier job has the meta_name 'analysis'")


def test_two_jobs_that_one_reference_could_mean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"""\
        evaluation_job_configs:
          - {{meta_name: same, output: a, {JOB}}}}}
          - {{meta_name: same, output: a, {JOB}}}}}
          - {{input: {{extra_configs.value: anonymous.same.a}}, {JOB}}}}}
    """
    (line,) = errors(folder, capsys, text)
    assert line.startswith(
        "c.yaml:4: error: 'anonymous.same.a' means two jobs, anonymous/evaluation/0 and anonymous/evaluation/1"
    )


def test_a_sweep_file_that_is_not_there_is_said_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, *_ = errors(folder, capsys, f"hpo_config: sweep.yaml\nevaluation_job_configs:\n  - {{{JOB}}}}}\n")
    assert line.startswith("c.yaml:1: error: the sweep file 'sweep.yaml' does not exist")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_iter_num: 0", "iterates until the targets are met, and there are none"),
        ("max_iter_num: -1", "greater than or equal to 0"),
        ("iter_targets: ['anonymous.m.a']", "is not a target"),
        ("iter_targets: ['anonymous.m.a ~ 1']", "is not a target"),
        ("iter_targets: ['anonymous.m.a > __import__(1)']", "is not a number"),
        ("iter_targets: ['-1.a > 1']", "a target names its pipeline and job"),
        ("iter_targets: ['anonymous.m.b > 1']", "has no output 'b'"),
        ("iter_targets: ['anonymous.n.a > 1']", "has the meta_name 'n'"),
        ("iter_targets_mode: some", "'all' or 'any'"),
        ("iter_updater: {anonymous.m.a: anonymous.m.b}", "is not a place in this job"),
        ("iter_updater: {anonymous.m.a: anonymous.n.extra_configs.value}", "no job of pipeline 'anonymous' has the"),
        ("iter_updater: {anonymous.m.x: anonymous.m.extra_configs.value}", "has no output 'x'"),
        ("iter_updater: {anonymous.m.a: anonymous.taker.extra_configs.value.x}", "is set by its 'input', too"),
    ],
)
def test_an_iteration_that_could_not_work(folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    jobs = f"""
evaluation_job_configs:
  - {{meta_name: m, output: a, {JOB}}}}}
  - {{meta_name: taker, input: {{extra_configs.value: anonymous.m.a}}, {JOB}}}}}
"""
    (line,) = errors(folder, capsys, text + jobs)
    assert line.startswith("c.yaml:1: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "name one config"),
        (["run", "c.yaml", "--config", "d.yaml"], "name one config"),
        (["run", "c.yaml", "--max_iter_num", "x"], "not a valid integer"),
        (["run", "c.yaml", "--resum"], "No such option"),
        (["rum"], "did you mean 'run'?"),
        (["run", "c.yaml", "--set", "novalue"], "write --set key=value"),
    ],
)
def test_a_wrong_command_line(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    (folder / "c.yaml").write_text(f"evaluation_job_configs:\n  - {{{JOB}}}}}\n")
    assert call(arguments) == 2
    assert message in capsys.readouterr().err


def test_full_width_punctuation_is_recognised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = errors(folder, capsys, "evaluation_job_configs:\n  - hook：EvaluateDataHook\n    meta_name: x\n")
    assert line.endswith("| line 2 has the full-width '：': YAML needs the ASCII character")


def test_a_misspelt_block_in_a_setting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.yaml").write_text(f"evaluation_job_configs:\n  - {{meta_name: m, {JOB}}}}}\n")
    assert call(["validate", "c.yaml", "--set", "m.extra_config.value=1"]) == 2
    assert "did you mean 'extra_configs'?" in capsys.readouterr().err


def test_a_project_name_that_would_leave_the_outputs_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = errors(folder, capsys, f"project_name: ../x\nevaluation_job_configs:\n  - {{{JOB}}}}}\n")
    assert line.startswith("c.yaml:1: error: ")


def test_a_full_width_colon_in_a_key_is_recognised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = errors(folder, capsys, "evaluation_job_configs:\n  - hook: EvaluateDataHook\n    output：x: y\n")
    assert line.endswith("| it has the full-width '：': YAML needs the ASCII character")


def test_an_unknown_key_is_said_whatever_its_value_will_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"""
evaluation_job_configs:
  - {{meta_name: m, output: a, {JOB}}}}}
  - {{hook: EvaluateDataHook, input: {{extra_configs.valeu: anonymous.m.a}}, extra_configs: {{type: "./parts.py:Give"}}}}
"""
    (line, *_) = errors(folder, capsys, text)
    assert "c.yaml:4: error: unknown key 'valeu'" in line


def test_what_the_updater_would_set_is_looked_at_before_the_first_iteration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""
max_iter_num: 2
iter_updater: {{anonymous.m.a: anonymous.m.extra_configs.valeu}}
evaluation_job_configs:
  - {{meta_name: m, output: a, {JOB}}}}}
"""
    (line, *_) = errors(folder, capsys, text)
    assert "c.yaml:3: error: unknown key 'valeu'" in line
