"""Scoring captions with the real pycocoevalcap, and what of it needs neither java nor the network."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.envs import ReadyEnv, environment_for
from djsandbox_internvl import score_captions
from djsandbox_internvl.recipe import INTERNVL_SCORING
from djsandbox_internvl.testing import write_model

PYTHON = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}

SENTENCES = {
    1: "a brown dog is lying on a green couch",
    2: "two men ride bicycles down a busy street",
    3: "a plate of food with rice and vegetables on a table",
    4: "a large boat sails near the shore of the sea",
}


@pytest.fixture
def truth(tmp_path: Path) -> str:
    """Ground truth of four images, two references each."""
    annotations = [
        {"id": 2 * image + at, "image_id": image, "caption": text}
        for image, sentence in SENTENCES.items()
        for at, text in enumerate((f"{sentence}.", f"There is {sentence}"))
    ]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"images": [{"id": image} for image in SENTENCES], "annotations": annotations}))
    return str(path)


def captions_file(path: Path, captions: dict[int, str]) -> str:
    path.write_text(json.dumps([{"image_id": image, "caption": text} for image, text in captions.items()]))
    return str(path)


def test_captions_that_do_not_fit_the_ground_truth_are_refused(tmp_path, truth) -> None:
    some = captions_file(tmp_path / "some.json", {1: "a dog"})
    with pytest.raises(ValueError, match="no caption for 3 images"):
        score_captions.read(some, truth)
    more = captions_file(tmp_path / "more.json", {**SENTENCES, 9: "a cat"})
    with pytest.raises(ValueError, match=r"1 images that .* does not know, such as 9"):
        score_captions.read(more, truth)


def test_a_file_that_is_no_captions_ends_with_a_message_and_no_scores(tmp_path, truth, capsys) -> None:
    (tmp_path / "wrong.json").write_text('{"image_id": 1}')
    target = tmp_path / "scores.json"
    assert score_captions.main([str(tmp_path / "wrong.json"), truth, str(target)]) == 1
    assert "cannot score the captions" in capsys.readouterr().err and not target.exists()


def test_nothing_in_the_scoring_names_spice_to_python() -> None:
    source = Path(score_captions.__file__).read_text()
    assert "spice" not in "".join(line for line in source.splitlines() if "import" in line).lower()


def test_the_scoring_program_runs_under_the_python_of_internvl() -> None:
    ast.parse(Path(score_captions.__file__).read_text(), feature_version=(3, 9))


def test_ground_truth_has_to_be_named(sandbox, tmp_path) -> None:
    written = captions_file(tmp_path / "c.json", SENTENCES)
    keys = {"type": "internvl_coco_caption", "results_paths": [written], "env_manager": "existing"}
    job = {"hook": "EvaluateModelHook", "meta_name": "score", "extra_configs": keys}
    with pytest.raises(djsandbox.ConfigError, match="set annotation_path"):
        djsandbox.validate(sandbox(job))


@pytest.fixture
def scoring(java: None) -> ReadyEnv:
    """The environment of the recipe, with the real pycocoevalcap."""
    try:
        return environment_for(INTERNVL_SCORING, manager="uv", params=PYTHON)
    except djsandbox.SandboxError as error:
        pytest.skip(f"needs pycocoevalcap, which cannot be installed here: {error}")


@pytest.mark.slow
def test_captions_are_scored_by_the_real_scorers_in_an_environment_of_the_recipe(
    sandbox, tmp_path, truth, scoring, monkeypatch
) -> None:
    perfect = captions_file(tmp_path / "perfect.json", SENTENCES)
    poor = captions_file(tmp_path / "poor.json", {image: f"a thing {text.split()[1]}" for image, text in SENTENCES.items()})
    keys: dict[str, Any] = {"type": "internvl_coco_caption", "results_paths": [poor, perfect], "annotation_path": truth}
    keys |= {"env_manager": "uv", "env_params": PYTHON, "launcher": {"type": "local", "max_parallel": 1}}
    monkeypatch.setenv("DJSANDBOX_OFFLINE", "1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # whoever asks the network now is refused
    config = sandbox({"hook": "EvaluateModelHook", "meta_name": "score", "output": "scores", "extra_configs": keys})
    (job,) = djsandbox.run(config).context["anonymous"]
    low, high = job["scores"]
    assert set(high) == {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "avg_score"}
    assert high["Bleu_4"] == pytest.approx(1.0, abs=1e-6) and high["ROUGE_L"] == pytest.approx(1.0, abs=1e-6)
    assert high["METEOR"] == pytest.approx(1.0, abs=1e-6)
    assert low["avg_score"] < high["avg_score"] and low["CIDEr"] < high["CIDEr"]


@pytest.mark.slow
def test_captions_of_an_evaluation_are_scored_without_spice_where_it_cannot_be_downloaded(
    sandbox, evaluate_job, chat, stand_in, scoring, tmp_path
) -> None:
    write_model(chat / "work_dirs/good", 1.0)
    write_model(chat / "work_dirs/poor", 0.3)
    models = [str(chat / "work_dirs" / name) for name in ("good", "poor")]
    # the real pycocoevalcap in the place of the stand-in's empty one
    python = stand_in.environment / "bin/python"
    python.write_text(python.read_text(encoding="utf-8").replace(sys.executable, str(scoring.python)), encoding="utf-8")
    shutil.rmtree(stand_in.environment / "lib/stand-in/pycocoevalcap")
    job = evaluate_job("no-spice", ckpt_paths=models, score_captions=True, export_path=str(tmp_path / "out"))
    good, poor = djsandbox.run(sandbox(job)).context["anonymous"][0]["scores"]
    assert "SPICE" not in good and good["Bleu_1"] > 0.9 and good["avg_score"] > poor["avg_score"]
