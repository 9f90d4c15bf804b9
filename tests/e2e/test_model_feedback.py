"""A model judges the data it shall be trained on, and the recipe follows: every job of it for real, on a CPU."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow
pytest.importorskip("djsandbox_datajuicer")
pytest.importorskip("djsandbox_sklearn")

WORDS = {"bread": ["flour", "yeast", "oven", "crust", "dough"], "sails": ["mast", "wind", "harbour", "anchor", "deck"]}
FILTERS = [{"words_num_filter": {"min_num": 1}}, {"special_characters_filter": {"min_ratio": 0.0, "max_ratio": 1.0}}]
CONFIG = {
    "project_name": "feedback",
    "experiment_name": "run",
    "work_dir": "./outputs",
    "pipelines": {
        "probe": {
            "probe_job_configs": [
                {
                    "hook": "ProbeViaAnalyzerHook",
                    "meta_name": "analysis",
                    "output": "rows",
                    "dj_configs": {
                        "dataset_path": "./data.jsonl",
                        "export_path": "./outputs/analysed.jsonl",
                        "export_original_dataset": True,
                        "process": FILTERS,
                    },
                },
            ],
            "execution_job_configs": [
                {
                    "hook": "TrainModelHook",
                    "meta_name": "train",
                    "output": "models",
                    "extra_configs": {
                        "type": "sklearn_text_classifier",
                        "train_dataset": "./data.jsonl",
                        "export_path": "./outputs/models",
                        "n_features": 1024,
                        "learning_rate": 0.05,
                    },
                },
            ],
        },
        "refine": {
            "probe_job_configs": [
                {
                    "hook": "ProbeViaModelInferHook",
                    "meta_name": "judged",
                    "input": {
                        "dj_configs.dataset_path": "probe.analysis.rows",
                        "extra_configs.model_path": "probe.train.models.0",
                    },
                    "output": "samples",
                    "dj_configs": {
                        "dataset_path": "<rows>",
                        "export_path": "./outputs/unused.jsonl",
                        "process": FILTERS,
                        "data_probe_ratio": 0.8,
                    },
                    "extra_configs": {"type": "sklearn_text_classifier", "model_path": "<model>"},
                },
            ],
            "refine_recipe_job_configs": [
                {
                    "hook": "RefineRecipeViaModelFeedbackHook",
                    "meta_name": "judged",
                    "input": {"extra_configs.feedback_path": "refine.judged.samples"},
                    "output": "recipe",
                    "dj_configs": {"dataset_path": "./data.jsonl", "export_path": "./outputs/clean.jsonl", "process": FILTERS},
                    "extra_configs": {
                        "type": "model_feedback",
                        "path_model_feedback_recipe": "./outputs/refined.yaml",
                        "feedback_path": "<samples>",
                        "score_key": "model_feedback.loss",
                        "direction": "minimize",
                        "min_keep_ratio": 0.6,
                    },
                },
            ],
            "execution_job_configs": [
                {
                    "hook": "ProcessDataHook",
                    "meta_name": "process",
                    "input": {"dj_configs": "-1.recipe"},
                    "output": "clean",
                    "dj_configs": "<recipe>",
                },
            ],
        },
    },
}


def rows() -> list[dict[str, str]]:
    """Texts of up to twelve words have the right label, longer ones the wrong one."""
    chance = random.Random(0)
    other = dict(zip(WORDS, reversed(WORDS), strict=True))
    made = []
    for number in range(400):
        label = chance.choice(list(WORDS))
        length = 4 + number % 15
        text = " ".join(chance.choices(WORDS[label], k=length))
        made.append({"text": text, "label": label if length <= 12 else other[label]})
    return made


def run(folder: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", "--json", *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_model_finds_the_length_beyond_which_the_labels_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    (tmp_path / "sandbox.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    done = run(tmp_path)
    judged, _, processed = done["context_infos"]["refine"]
    samples = lines(tmp_path / judged["samples"])
    assert len(samples) == 320
    assert set(samples[0]) == {"text", "label", "__dj__stats__", "model_feedback"}
    assert set(samples[0]["model_feedback"]) == {"loss", "confidence", "predicted"}

    clean = lines(tmp_path / processed["clean"])
    assert all(len(row["text"].split()) <= 12 for row in clean)
    assert len(clean) > 0.58 * len(rows())
    refined = yaml.safe_load((tmp_path / "outputs/refined.yaml").read_text())
    assert refined["process"][0]["words_num_filter"]["max_num"] == 12

    again = run(tmp_path, "--resume")
    assert again["executed"] == []
