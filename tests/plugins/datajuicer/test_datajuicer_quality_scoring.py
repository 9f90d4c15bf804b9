"""Data-Juicer's quality classifier for real, in the environment of its recipe, with a model made by its own training code."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox.envs import ReadyEnv, environment_for
from djsandbox_datajuicer.quality import score_texts
from djsandbox_datajuicer.quality.recipe import QUALITY_CLASSIFIER

GOOD = ["history", "science", "literature", "careful", "study", "nature", "laws", "reason"]
POOR = ["click", "here", "buy", "now", "cheap", "win", "money", "free", "casino"]
TRAIN = """
import sys
from data_juicer.tools.quality_classifier import qc_utils
from pyspark.sql import SparkSession

good, poor, model = sys.argv[1:]
spark = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1").getOrCreate()
datasets = [qc_utils.load_datasets(spark, [path], label=label) for path, label in ((good, 1), (poor, 0))]
qc_utils.train(model, datasets[0].unionAll(datasets[1]))
"""


@pytest.fixture
def environment() -> ReadyEnv:
    try:
        return environment_for(QUALITY_CLASSIFIER, manager="uv")
    except djsandbox.SandboxError as error:
        pytest.skip(f"needs Spark, which cannot be installed here: {error}")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, words, seed in (("good", GOOD, 1), ("poor", POOR, 2)):
        rows = random.Random(seed)
        texts = [{"content": " ".join(rows.choices(words, k=9))} for _ in range(40)]
        write(tmp_path / f"{name}.jsonl", [{**row, "text": row["content"]} for row in texts])
    return tmp_path


def write(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def run(*datasets: str, **keys: Any) -> djsandbox.SandboxResult:
    fixed = {"type": "dj_text_quality_classifier", "model": "model", "env_manager": "uv", "driver_memory": "1g", "num_cores": 2}
    jobs = [
        {
            "hook": "EvaluateDataHook",
            "meta_name": Path(dataset).stem,
            "output": "score",
            "extra_configs": {**fixed, "dataset_path": dataset, **keys},
        }
        for dataset in datasets
    ]
    Path("s.yaml").write_text(yaml.safe_dump({"evaluation_job_configs": jobs}))
    return djsandbox.run("s.yaml")


@pytest.mark.slow
@pytest.mark.usefixtures("java")
def test_texts_are_scored_by_a_model_that_data_juicers_training_made(place: Path, environment: ReadyEnv) -> None:
    environment.run_cmd(["python", "-c", TRAIN, "good.jsonl", "poor.jsonl", "model"], cwd=str(place))
    with open("poor.jsonl", "a", encoding="utf-8") as file:
        file.write('{"content": null}\n{"other": 1}\n')

    run("good.jsonl", "poor.jsonl", text_key="content")

    watcher = djsandbox.SandboxWatcher("outputs/hello_world")
    good, poor = (watcher.query(f"{name}.distribution") for name in ("good", "poor"))
    assert good["mean"] > 0.9 and poor["mean"] < 0.1
    assert [(one["num_samples"], one["num_without_text"]) for one in (good, poor)] == [(40, 0), (40, 2)]
    assert [sum(count for _, count in table.rows) for table in watcher.tables()] == [40, 40]

    with pytest.raises(djsandbox.JobFailed, match="has no column 'body': it has"):
        run("good.jsonl", text_key="body")


def test_a_model_that_cannot_be_downloaded_says_where_to_put_it_and_what_needs_none(tmp_path: Path) -> None:
    with pytest.raises(score_texts.Unfit) as caught:
        score_texts.fetch("http://127.0.0.1:9/gpt3_quality_model.zip", tmp_path / "models" / "gpt3_quality_model")
    assert "refused" in str(caught.value) and "sklearn_text_classifier" in str(caught.value)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_download_is_put_where_data_juicer_looks_for_it(tmp_path: Path) -> None:
    (tmp_path / "m" / "x_quality_model").mkdir(parents=True)
    (tmp_path / "m" / "x_quality_model" / "metadata").write_text("{}")
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "m")
    target = tmp_path / "models" / "x_quality_model"
    (target / "stages").mkdir(parents=True)  # of an extraction that was killed

    score_texts.fetch((tmp_path / "a.zip").as_uri(), target)

    assert (target / "metadata").read_text() == "{}"
    assert [path.name for path in (tmp_path / "models").rglob("*")] == ["x_quality_model", "metadata"]


def test_a_download_that_holds_something_else_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "m" / "other").mkdir(parents=True)
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "m")
    with pytest.raises(score_texts.Unfit, match="put it to"):
        score_texts.fetch((tmp_path / "a.zip").as_uri(), tmp_path / "models" / "x_quality_model")
    assert list((tmp_path / "models").iterdir()) == []
