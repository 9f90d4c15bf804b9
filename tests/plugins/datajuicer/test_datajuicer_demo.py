"""The guide's own example, less its training: the side files are there, and what they say runs for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.k_sigma import KSigmaRefiner

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "configs" / "demo"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_sandbox_config_has_the_keys_and_values_of_the_guide() -> None:
    recipe, refined = "configs/demo/process.yaml", "./outputs/demo-process/k_sigma_new_recipe.yaml"
    trained, scored = "gpt3_extra_train_config.json", "gpt3_data_quality_eval_config.yaml"

    def job(hook: str, meta_name: str | None, dj_configs: Any, extra_configs: Any) -> dict[str, Any]:
        return {"hook": hook, "meta_name": meta_name, "dj_configs": dj_configs, "extra_configs": extra_configs}

    assert loaded(DEMO / "sandbox" / "sandbox.yaml") == {
        "project_name": "demo-sandbox",
        "experiment_name": "demo-sandbox-run0",
        "hpo_config": None,
        "probe_job_configs": [job("ProbeViaAnalyzerHook", "analysis_ori_data", recipe, None)],
        "refine_recipe_job_configs": [
            job("RefineRecipeViaKSigmaHook", "analysis_ori_data", recipe, {"path_k_sigma_recipe": refined})
        ],
        "execution_job_configs": [
            job("ProcessDataHook", None, refined, None),
            job("TrainModelHook", None, None, f"configs/demo/sandbox/{trained}"),
        ],
        "evaluation_job_configs": [
            job("ProbeViaAnalyzerHook", "analysis_processed_data", recipe, None),
            job("EvaluateDataHook", "eval_data", None, f"configs/demo/sandbox/{scored}"),
        ],
    }


def test_every_file_that_the_example_names_is_there() -> None:
    sandbox = loaded(DEMO / "sandbox" / "sandbox.yaml")
    jobs = [job for key, jobs in sandbox.items() if key.endswith("_job_configs") for job in jobs]
    named = {value for job in jobs for value in (job["dj_configs"], job["extra_configs"]) if isinstance(value, str)}
    assert {path for path in named if not (ROOT / path).is_file()} == {"./outputs/demo-process/k_sigma_new_recipe.yaml"}
    assert (ROOT / loaded(DEMO / "process.yaml")["dataset_path"]).is_file()


def test_training_and_scoring_read_what_processing_writes() -> None:
    result = loaded(DEMO / "process.yaml")["export_path"]
    training = json.loads((DEMO / "sandbox" / "gpt3_extra_train_config.json").read_text(encoding="utf-8"))
    scoring = loaded(DEMO / "sandbox" / "gpt3_data_quality_eval_config.yaml")
    assert training["train_dataset"] == scoring["dataset_path"] == result


@pytest.mark.usefixtures("data_juicer")
def test_it_analyses_refines_and_keeps_what_is_surely_chinese(
    workplace: Any, rows_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    recipe = {**loaded(DEMO / "process.yaml"), "export_path": workplace.out("demo-processed.jsonl")}
    analysis = workplace.job(DJAnalyzer, **recipe)
    assert not [found for found in analysis.check() if found.severity == "error"]
    languages = [row["__dj__stats__"]["lang"] for row in rows_of(analysis.run())]
    assert sorted(languages) == ["en", "en", "en", "fr", "zh", "zh"]

    seen = analysis.watcher.values[0]
    refiner = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("k_sigma_new_recipe.yaml"))
    refined = loaded(Path(refiner.run(recipe, seen)))
    expected = seen["lang_score"]["mean"] - 3 * seen["lang_score"]["std"]
    assert refined["process"] == [{"language_id_score_filter": {"lang": "zh", "min_score": pytest.approx(expected)}}]

    job = workplace.job(DJExecutor, **refined)
    kept = rows_of(job.run())
    assert kept
    given = rows_of(recipe["dataset_path"])
    assert kept == [row for row, language in zip(given, languages, strict=True) if language == "zh"]
