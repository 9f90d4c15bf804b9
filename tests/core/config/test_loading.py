import textwrap
from pathlib import Path
from typing import Any

import pytest
from djsandbox.config.load import load_config
from djsandbox.config.model import SandboxConfig
from djsandbox.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def load(folder: Path, text: str, *settings: str, **options: Any) -> SandboxConfig:
    write(folder / "sandbox.yaml", text)
    return load_config("sandbox.yaml", settings, options)


def problems(folder: Path, text: str, *settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *settings)
    return [str(problem) for problem in caught.value.problems]


def test_job_lists_at_top_level_are_the_anonymous_pipeline(folder: Path) -> None:
    config = load(
        folder, "probe_job_configs:\n  - hook: GeneralProbeHook\nevaluation_job_configs:\n  - hook: EvaluateDataHook\n"
    )
    assert [job.id for job in config.jobs()] == ["anonymous/probe/0", "anonymous/evaluation/0"]


@pytest.mark.parametrize(
    "pipelines",
    [
        "pipelines:\n  b:\n    probe_job_configs: [{hook: X}]\n  a:\n    probe_job_configs: [{hook: X}]\n",
        "pipelines:\n  - b:\n      probe_job_configs: [{hook: X}]\n  - a:\n      probe_job_configs: [{hook: X}]\n",
    ],
    ids=["mapping", "list of one-key mappings"],
)
def test_pipelines_keep_the_order_they_are_written_in(folder: Path, pipelines: str) -> None:
    assert [job.id for job in load(folder, pipelines).jobs()] == ["b/probe/0", "a/probe/0"]


def test_stages_run_in_the_order_of_the_guide_whatever_the_order_in_the_file(folder: Path) -> None:
    config = load(
        folder, "evaluation_job_configs: [{hook: X}]\nexecution_job_configs: [{hook: X}]\nprobe_job_configs: [{hook: X}]\n"
    )
    assert [job.stage for job in config.jobs()] == ["probe", "execution", "evaluation"]


def test_a_config_may_name_its_own_stages(folder: Path) -> None:
    config = load(folder, "stages: [train, compare]\ncompare_job_configs: [{hook: X}]\ntrain_job_configs: [{hook: X}]\n")
    assert [job.id for job in config.jobs()] == ["anonymous/train/0", "anonymous/compare/0"]


def test_work_dir_is_named_after_the_project(folder: Path) -> None:
    assert load(folder, "project_name: p\nprobe_job_configs: [{hook: X}]").work_dir == Path("outputs/p")


def test_a_job_may_be_a_file_and_its_blocks_may_be_files(folder: Path) -> None:
    write(folder / "parts/job.yaml", "hook: X\nmeta_name: m\nextra_configs: extra.json\n")
    write(folder / "parts/extra.json", '{"type": "t", "lr": 3e-4}')
    (job,) = load(folder, "probe_job_configs:\n  - parts/job.yaml\n").jobs()
    assert job.extra_configs.document is not None
    assert job.extra_configs.document.data == {"type": "t", "lr": 3e-4}


def test_a_file_is_looked_for_in_the_current_directory_first(folder: Path) -> None:
    write(folder / "x.yaml", "where: current directory")
    write(folder / "sub/x.yaml", "where: beside the config")
    write(folder / "sub/y.yaml", "where: beside the config")
    config = write(folder / "sub/sandbox.yaml", "probe_job_configs:\n- {hook: X, dj_configs: x.yaml, extra_configs: y.yaml}\n")
    (job,) = load_config(config).jobs()
    assert job.dj_configs.document is not None
    assert job.extra_configs.document is not None
    assert job.dj_configs.document.data["where"] == "current directory"
    assert job.extra_configs.document.data["where"] == "beside the config"


def test_output_may_be_one_name_or_a_list(folder: Path) -> None:
    config = load(folder, "probe_job_configs: [{hook: X, output: a}, {hook: X, output: [b, c]}, {hook: X}]")
    assert [job.outputs for job in config.jobs()] == [("a",), ("b", "c"), None]


def test_options_win_over_the_file(folder: Path) -> None:
    config = load(folder, "resume: false\nprobe_job_configs: [{hook: X}]", resume=True, work_dir="./elsewhere")
    assert config.resume
    assert config.work_dir == Path("elsewhere")


@pytest.mark.parametrize(
    "address",
    ["anonymous.m", "m", "probe_job_configs.0", "anonymous.probe_job_configs.0"],
)
def test_a_setting_reaches_into_a_block_however_the_job_is_addressed(folder: Path, address: str) -> None:
    (job,) = load(
        folder, "probe_job_configs: [{hook: X, meta_name: m, extra_configs: {a: 1}}]", f"{address}.extra_configs.b.c=3e-4"
    ).jobs()
    assert [(value.target.path, value.value) for value in job.local] == [(("b", "c"), 3e-4)]


def test_a_setting_wins_over_local(folder: Path) -> None:
    text = "probe_job_configs: [{hook: X, meta_name: m, local: {extra_configs.a: 1}}]"
    (job,) = load(folder, text, "m.extra_configs.a=2").jobs()
    assert [value.value for value in job.local] == [1, 2]


def test_a_setting_that_input_would_undo_is_refused(folder: Path) -> None:
    text = "probe_job_configs: [{hook: X, meta_name: m, input: {extra_configs.a: -1.b}}]"
    (problem,) = problems(folder, text, "m.extra_configs.a=2")
    assert "is set by its 'input'" in problem


def test_a_setting_that_addresses_no_job_lists_the_jobs(folder: Path) -> None:
    (problem,) = problems(folder, "probe_job_configs: [{hook: X, meta_name: m}]", "n.extra_configs.a=2")
    assert "'n' addresses no job" in problem
    assert "anonymous.m" in problem


def test_everything_wrong_is_reported_together_with_its_line(folder: Path) -> None:
    text = """\
        project_nam: p
        max_iter_num: many
        probe_job_configs:
          - hook: A
            meta_nam: x
          - meta_name: no hook
          - hook: B
            input: [not, a, mapping]
          - hook: C
            input: {extra_configs.a: nonsense}
        execution_job_configs: {hook: D}
    """
    found = problems(folder, text)
    assert found == [
        "sandbox.yaml:1: unknown key 'project_nam'\n    did you mean 'project_name'?",
        "sandbox.yaml:2: 'max_iter_num' must be a whole number, not a text ('many')",
        "sandbox.yaml:5: unknown key 'meta_nam'\n    did you mean 'meta_name'?",
        "sandbox.yaml:6: the key 'hook' is missing\n    add 'hook: ...' there",
        "sandbox.yaml:8: 'input' must be a mapping (key: value), not a list",
        "sandbox.yaml:10: 'nonsense' is not a reference; write pipeline.meta_name.key or -1.key",
        "sandbox.yaml:11: 'execution_job_configs' must be a list of jobs\n    begin each job with '- hook: ...'",
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("iter_targets_mode: al", ["'iter_targets_mode' must be 'all' or 'any', not 'al'", "did you mean 'all'?"]),
        ("max_iter_num: -1", ["'max_iter_num' must be greater than or equal to 0, not -1"]),
    ],
)
def test_a_value_out_of_bounds_is_shown_with_what_it_may_be(folder: Path, written: str, said: list[str]) -> None:
    [problem] = problems(folder, f"{written}\nprobe_job_configs: [{{hook: X}}]\n")
    assert problem.startswith("sandbox.yaml:1: ") and all(text in problem for text in said)


def test_both_formats_at_once_are_refused(folder: Path) -> None:
    text = "pipelines: {p: {probe_job_configs: [{hook: X}]}}\nprobe_job_configs: [{hook: X}]\n"
    (problem,) = problems(folder, text)
    assert "sandbox.yaml:2: 'pipelines' and the top-level 'probe_job_configs' cannot be used together" in problem


def test_two_pipelines_of_one_name_are_refused(folder: Path) -> None:
    text = "pipelines:\n- p: {probe_job_configs: [{hook: X}]}\n- p: {probe_job_configs: [{hook: X}]}\n"
    (problem,) = problems(folder, text)
    assert problem.startswith("sandbox.yaml:3: two pipelines are named 'p', the first at sandbox.yaml:2")


@pytest.mark.parametrize("name", ["a.b", "-1", "a/b", "''"])
def test_a_pipeline_that_no_reference_could_name_is_refused(folder: Path, name: str) -> None:
    (problem,) = problems(folder, f"pipelines:\n  {name}: {{probe_job_configs: [{{hook: X}}]}}\n")
    assert "cannot be the name of a pipeline" in problem


def test_a_config_without_jobs_is_refused(folder: Path) -> None:
    (problem,) = problems(folder, "project_name: p\nprobe_job_configs:\n")
    assert "there is no job in this config" in problem


def test_an_output_cannot_take_the_place_of_the_meta_name(folder: Path) -> None:
    (problem,) = problems(folder, "probe_job_configs: [{hook: X, output: meta_name}]")
    assert "cannot be the name of an output" in problem


@pytest.mark.parametrize("wrong", ["experiment_nam: x", "iter_targets_mode: some", "work_dir: 5", "3: x"])
def test_a_wrong_global_key_does_not_hide_what_is_wrong_with_the_others(folder: Path, wrong: str) -> None:
    found = problems(folder, f"{wrong}\niter_targets: a > 1\niter_updater: {{a.b.c: d}}\nprobe_job_configs: [{{hook: X}}]\n")
    assert len(found) == 3
    assert [problem.split(":")[1] for problem in found] == ["1", "2", "3"]


def test_a_wrong_work_dir_is_not_taken_for_a_missing_one(folder: Path) -> None:
    (found,) = problems(folder, "project_name: a/b\nwork_dir: 5\nprobe_job_configs: [{hook: X}]\n")
    assert "'work_dir' must be a text" in found
