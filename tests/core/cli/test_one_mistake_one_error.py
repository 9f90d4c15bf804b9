"""One mistake is one error, however many jobs it reaches and however many checks it fails."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.cli.main import call

PARTS = '''
from djsandbox import BaseEvaluator, BaseRecipeRefiner, ComponentConfig, Finding, InputPath, OutputPath


class Train(BaseEvaluator):
    class Config(ComponentConfig):
        home: InputPath
        export_path: OutputPath
        size: int = 1

    def run(self, eval_type, eval_obj=None, **kwargs):
        return 1.0


class Refine(BaseRecipeRefiner):
    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self, recipe, feedback):
        return self.config.export_path


class Process(BaseEvaluator):
    """Knows one operator."""

    class Config(ComponentConfig):
        process: list[dict]

    def check(self):
        for at, entry in enumerate(self.config.process):
            for name in entry:
                if name != "keep_filter":
                    yield Finding(("process", at, name), f"there is no operator '{name}'")

    def run(self, eval_type, eval_obj=None, **kwargs):
        return 1.0
'''

Errors = Callable[..., list[str]]


@pytest.fixture
def errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Errors:
    """The errors of `c.yaml`, each with its remedy on the same line; beside it lie further files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)

    def told(text: str, **files: str) -> list[str]:
        for name, content in {"c": text, **files}.items():
            Path(f"{name}.yaml").write_text(textwrap.dedent(content))
        assert call(["validate", "c.yaml"]) == 2
        printed = capsys.readouterr().err.replace("\n    ", " | ")
        return [line for line in printed.splitlines() if " error: " in line]

    return told


def test_a_missing_path_in_a_file_that_many_jobs_include_is_one_error(errors: Errors) -> None:
    job = "{hook: EvaluateModelHook, local: {extra_configs.export_path: out/N}, extra_configs: train.yaml}"
    jobs = "".join(f"\n  - {job}".replace("N", str(number)) for number in range(5))
    (line,) = errors(f"evaluation_job_configs:{jobs}\n", train='type: "./parts.py:Train"\nexport_path: x\nhome: ./no/where\n')
    assert line.startswith("train.yaml:3: error: './no/where' does not exist, and no earlier job writes it | check the path")


def test_the_same_path_missing_in_two_places_is_two_errors(errors: Errors) -> None:
    job = '{hook: EvaluateModelHook, extra_configs: {type: "./parts.py:Train", export_path: x, home: no}}'
    lines = errors(f"evaluation_job_configs:\n  - {job}\n  - {job}\n")
    assert [line.partition(" error")[0] for line in lines] == ["c.yaml:2:", "c.yaml:3:"]


def test_a_misspelt_key_is_not_told_as_missing_too(errors: Errors) -> None:
    job = '{hook: EvaluateModelHook, extra_configs: {type: "./parts.py:Train", exprt_path: x, home: "."}}'
    (line,) = errors(f"evaluation_job_configs:\n  - {job}\n")
    assert line == "c.yaml:2: error: unknown key 'exprt_path' | did you mean 'export_path'?"


def test_a_misspelt_key_hides_no_other_that_is_missing(errors: Errors) -> None:
    job = '{hook: EvaluateModelHook, extra_configs: {type: "./parts.py:Train", exprt_path: x, siez: 2}}'
    lines = errors(f"evaluation_job_configs:\n  - {job}\n")
    assert sorted(line.partition("error: ")[2] for line in lines) == [
        "the key 'home' is missing | add 'home: ...' there",
        "unknown key 'exprt_path' | did you mean 'export_path'?",
        "unknown key 'siez' | did you mean 'size'?",
    ]


def test_a_misspelt_hook_key_is_one_error(errors: Errors) -> None:
    (line,) = errors('evaluation_job_configs:\n  - hok: EvaluateModelHook\n    extra_configs: {type: "./parts.py:Train"}\n')
    assert line == "c.yaml:2: error: unknown key 'hok' | did you mean 'hook'?"


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("metohd: random\nmetric: M\nparameters: {P: {min: 1, max: 2}}", "unknown key 'metohd' | did you mean 'method'?"),
        ("method: random\nmetirc: M\nparameters: {P: {min: 1, max: 2}}", "unknown key 'metirc' | did you mean 'metric'?"),
        ("method: random\nmetric: M\nparamters: {P: {min: 1, max: 2}}", "unknown key 'paramters' | did you mean 'parameters'?"),
        (
            "method: random\nmetric: M\nparameters: {P: {distribution: uniform, mni: 1, max: 2}}",
            "the parameter 'P': uniform takes no 'mni' | did you mean 'min'?",
        ),
    ],
)
def test_a_misspelt_key_of_a_sweep_is_one_error(errors: Errors, sweep: str, message: str) -> None:
    config = """
        hpo_config: sweep.yaml
        evaluation_job_configs:
          - {hook: EvaluateModelHook, meta_name: m, output: a,
             extra_configs: {type: "./parts.py:Train", export_path: x, home: "."}}
    """
    parameter = "anonymous.m.extra_configs.size"
    written = sweep.replace("M", "{name: anonymous.m.a}").replace("P", parameter) + "\nrun_cap: 2\n"
    (line,) = errors(config, sweep=written)
    assert line.startswith("sweep.yaml:") and line.endswith(f": error: {message.replace('P', parameter)}")


def test_what_is_wrong_in_a_recipe_is_told_at_its_line_and_not_again_for_what_a_refiner_makes_of_it(errors: Errors) -> None:
    config = """
        probe_job_configs:
          - {hook: EvaluateModelHook, meta_name: seen, extra_configs: {type: "./parts.py:Process", process: []}}
        refine_recipe_job_configs:
          - hook: RefineRecipeViaKSigmaHook
            meta_name: seen
            output: refined
            dj_configs: recipe.yaml
            extra_configs: {type: "./parts.py:Refine", export_path: out/refined.yaml}
        evaluation_job_configs:
          - {hook: EvaluateModelHook, extra_configs: recipe.yaml, local: {extra_configs.type: "./parts.py:Process"}}
          - {hook: EvaluateModelHook, extra_configs: out/refined.yaml, local: {extra_configs.type: "./parts.py:Process"}}
          - {hook: EvaluateModelHook, input: {extra_configs: anonymous.seen.refined},
             local: {extra_configs.type: "./parts.py:Process"}}
    """
    (line,) = errors(config, recipe="process:\n  - keep_filter: {}\n  - kep_filter: {}\n")
    assert line == "recipe.yaml:3: error: there is no operator 'kep_filter'"


def test_what_a_job_gives_that_cannot_be_read_is_not_called_a_missing_file(errors: Errors) -> None:
    lines = errors("""
        probe_job_configs:
          - {hook: ProbeViaAnalyserHook, meta_name: a, output: rows}
        refine_recipe_job_configs:
          - hook: RefineRecipeViaKSigmaHook
            meta_name: a
            input: {dj_configs.home: anonymous.a.rows}
            dj_configs: {type: "./parts.py:Train", export_path: x, home: <rows>}
            extra_configs: {type: "./parts.py:Refine", export_path: r.yaml}
        evaluation_job_configs:
          - {hook: EvaluateModelHook, extra_configs: r.yaml}
    """)
    assert "unknown job hook 'ProbeViaAnalyserHook'" in lines[0]
    assert not any("does not exist" in line for line in lines)
