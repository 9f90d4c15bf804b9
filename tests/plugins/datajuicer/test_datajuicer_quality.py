"""Data-Juicer's quality classifier: what is told before the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox_datajuicer.quality.recipe import QUALITY_CLASSIFIER


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Finds what `validate` says of a config with these keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_JUICER_MODELS_CACHE", str(tmp_path / "models"))
    (tmp_path / "data.jsonl").write_text('{"text": "a"}\n')
    pipeline(tmp_path / "trained")

    def found(**keys: Any) -> list[str]:
        environment = {"env_manager": "existing", "env_params": {"path": sys.prefix}}
        extra = {"type": "dj_text_quality_classifier", "dataset_path": "data.jsonl", "model": "trained", **environment, **keys}
        job = {"hook": "EvaluateDataHook", "output": "score", "extra_configs": extra}
        Path("s.yaml").write_text(yaml.safe_dump({"evaluation_job_configs": [job]}))
        try:
            problems: Any = djsandbox.validate("s.yaml")
        except djsandbox.ConfigError as error:
            problems = error.problems
        return [f"{problem}" for problem in problems if "the check of the environment" not in str(problem)]

    return found


def pipeline(folder: Path) -> Path:
    for name in ("metadata", "stages"):
        (folder / name).mkdir(parents=True)
    return folder


def said(problems: list[str], words: str) -> bool:
    return any(words in problem and problem.startswith("s.yaml:") for problem in problems)


def test_a_model_of_ones_own_and_a_dataset_that_can_be_read_are_fine(found: Any) -> None:
    assert not any("model" in problem or "dataset" in problem for problem in found())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"dataset_path": "data.txt"}, "cannot read 'data.txt'"),
        ({"model": "gpt4"}, "the model 'gpt4' does not exist"),
        ({"model": "."}, "is no model of Data-Juicer's training tool"),
        ({"tokenizer": "zh.model"}, "the tokenizer 'zh.model' does not exist"),
        ({"model": "gpt3", "tokenizer": "zh.sp.model"}, "the model 'gpt3' has a tokenizer, Spark's own"),
        ({"driver_memory": "4 GB"}, "driver_memory"),
        ({"modle": "gpt3"}, "did you mean 'model'?"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(found: Any, keys: dict[str, Any], words: str) -> None:
    assert said(found(**keys), words)


def test_a_model_that_will_be_downloaded_is_a_warning_that_names_what_needs_none(found: Any, tmp_path: Path) -> None:
    (problem,) = [one for one in found(model="gpt3") if "gpt3_quality_model" in one]
    assert "will be downloaded" in problem and "sklearn_text_classifier" in problem
    pipeline(tmp_path / "models" / "gpt3_quality_model")
    assert not any("downloaded" in one for one in found(model="gpt3"))


def test_the_chinese_model_comes_with_its_tokenizer(found: Any, tmp_path: Path) -> None:
    assert len([one for one in found(model="chinese") if "will be downloaded" in one]) == 2
    pipeline(tmp_path / "models" / "chinese_quality_model")
    (tmp_path / "models" / "zh.sp.model").touch()
    assert not any("downloaded" in one for one in found(model="chinese"))


def test_java_is_asked_for_and_the_way_round_it_named() -> None:
    (java,) = QUALITY_CLASSIFIER.system_tools
    assert java.name == "java" and "sklearn_text_classifier" in java.needed_for


def test_the_config_of_the_existing_sandbox_is_taken_as_it_is(found: Any) -> None:
    assert all("downloaded" in one for one in found(model="gpt3") if "model" in one)


def test_planning_imports_nothing_heavy() -> None:
    code = (
        "import sys; from djsandbox_datajuicer.quality.evaluator import TextQualityEvaluator as T;"
        "list(T(T.Config(dataset_path='a.jsonl')).check());"
        "print(sorted({'pyspark', 'data_juicer', 'numpy', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
