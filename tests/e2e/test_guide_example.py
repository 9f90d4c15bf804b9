"""The guide's own example at the guide's own paths, run from a copy of the files of the checkout."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox.cli.main import call

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "configs/demo/sandbox/sandbox.yaml"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has what the example names, and nothing that an earlier run left."""
    shutil.copytree(ROOT / "configs/demo", tmp_path / "configs/demo")
    shutil.copytree(ROOT / "demos", tmp_path / "demos")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache of modelscope"))
    return tmp_path


def without(hooks: set[str]) -> str:
    """The example less the jobs of `hooks`, as a file beside it."""
    data = yaml.safe_load(Path(CONFIG).read_text(encoding="utf-8"))
    for key, jobs in data.items():
        if key.endswith("_job_configs"):
            data[key] = [job for job in jobs if job["hook"] not in hooks]
    path = Path(CONFIG).with_name("shorter.yaml")
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return str(path)


def test_the_example_has_the_guides_keys_and_values() -> None:
    data = yaml.safe_load((ROOT / CONFIG).read_text(encoding="utf-8"))
    assert (data["project_name"], data["experiment_name"], data["hpo_config"]) == ("demo-sandbox", "demo-sandbox-run0", None)
    recipe, extra = "configs/demo/process.yaml", "extra_configs"
    jobs = [job for key in data if key.endswith("_job_configs") for job in data[key]]
    assert [(job["hook"], job["meta_name"], job["dj_configs"], job[extra]) for job in jobs] == [
        ("ProbeViaAnalyzerHook", "analysis_ori_data", recipe, None),
        (
            "RefineRecipeViaKSigmaHook",
            "analysis_ori_data",
            recipe,
            {"path_k_sigma_recipe": "./outputs/demo-process/k_sigma_new_recipe.yaml"},
        ),
        ("ProcessDataHook", None, "./outputs/demo-process/k_sigma_new_recipe.yaml", None),
        ("TrainModelHook", None, None, "configs/demo/sandbox/gpt3_extra_train_config.json"),
        ("ProbeViaAnalyzerHook", "analysis_processed_data", recipe, None),
        ("EvaluateDataHook", "eval_data", None, "configs/demo/sandbox/gpt3_data_quality_eval_config.yaml"),
    ]


def test_the_whole_example_is_valid_before_any_of_its_files_are_made(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["validate", CONFIG]) == 0
    assert "6 jobs in 1 pipeline" in capsys.readouterr().out
    warnings = djsandbox.validate(CONFIG)
    assert not (checkout / "outputs").exists()
    (warning,) = (one for one in warnings if "before and after will be equal" in one.message)
    assert warning.where is not None
    assert warning.where.file == CONFIG
    assert "input: {dj_configs.dataset_path: anonymous.process.res_0}" in str(warning.fix)


def test_the_suggested_input_line_mends_the_warning(checkout: Path) -> None:
    data = yaml.safe_load(Path(CONFIG).read_text(encoding="utf-8"))
    data["execution_job_configs"][0]["meta_name"] = "process"
    data["evaluation_job_configs"][0]["input"] = {"dj_configs.dataset_path": "anonymous.process.res_0"}
    mended = Path("mended.yaml")
    mended.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    assert not [one for one in djsandbox.validate(mended) if "before and after" in one.message]


def run(config: str, environment: dict[str, str], *options: str) -> dict[str, Any]:
    """Run `config` in a process of its own: Data-Juicer looks for its model cache once, when it is imported."""
    program = [sys.executable, "-m", "djsandbox", "run", config, "--json", *options]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.slow
def test_everything_but_the_training_runs_for_real_and_resumed_repeats_nothing(
    checkout: Path, language_model: dict[str, str]
) -> None:
    config = without({"TrainModelHook", "EvaluateDataHook"})
    first = run(config, language_model)
    jobs = first["context_infos"]["anonymous"]
    assert [job["meta_name"] for job in jobs] == ["analysis_ori_data", "analysis_ori_data", "", "analysis_processed_data"]
    rows = [json.loads(line) for line in Path("outputs/demo-process/demo-processed.jsonl").read_text("utf-8").splitlines()]
    assert 0 < len(rows) <= 6
    refined = yaml.safe_load(Path("outputs/demo-process/k_sigma_new_recipe.yaml").read_text(encoding="utf-8"))
    assert refined["process"][0]["language_id_score_filter"]["lang"] == "zh"
    statistics = djsandbox.SandboxWatcher(first["work_dir"]).query("analysis_ori_data.lang_score")
    assert {"mean", "std", "min", "max"} <= set(statistics)
    again = run(config, language_model, "--resume")
    assert again["executed"] == []
    assert again["context_infos"] == first["context_infos"]
