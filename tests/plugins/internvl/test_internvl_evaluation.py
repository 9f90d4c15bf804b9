"""Evaluation with the stand-in: scores, tasks, and every way to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobFailed

GOOD = [f"A brown dog resting near the old wall number {word}." for word in ("one", "two", "three", "four")] * 2
POOR = ["dog", "!!! 1234567 #photo", "cat", "boat"] * 2
METRICS = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr"]


@pytest.fixture
def trained(sandbox, train_job, captions) -> list[str]:
    """Folders of two models, of good and of poor captions."""
    result = djsandbox.run(sandbox(train_job([captions("good", GOOD), captions("poor", POOR)])))
    return output_of(result, "models")


def output_of(result: Any, name: str) -> Any:
    return next(job[name] for pipeline in result.context.values() for job in pipeline if name in job)


def test_each_checkpoint_has_its_scores_in_full_precision_and_their_mean(sandbox, evaluate_job, trained) -> None:
    good, poor = output_of(djsandbox.run(sandbox(evaluate_job(ckpt_paths=trained))), "scores")
    assert list(good) == [*METRICS, "SPICE", "avg_score"]
    assert good["avg_score"] == sum(good[name] for name in METRICS) / len(METRICS)
    assert good["avg_score"] > poor["avg_score"]
    assert round(good["CIDEr"], 3) != good["CIDEr"]


def test_nothing_is_written_into_the_checkpoints_or_the_checkout(sandbox, evaluate_job, trained, chat) -> None:
    before = {path: path.stat().st_mtime_ns for path in (*Path(trained[0]).rglob("*"), *chat.rglob("*.*"))}
    djsandbox.run(sandbox(evaluate_job(ckpt_paths=trained)))
    after = {
        path: path.stat().st_mtime_ns
        for path in (*Path(trained[0]).rglob("*"), *chat.rglob("*.*"))
        if "__pycache__" not in path.parts
    }
    assert after == {path: stamp for path, stamp in before.items() if "__pycache__" not in path.parts}


def test_log_captions_and_scores_go_to_export_path(sandbox, evaluate_job, trained, tmp_path) -> None:
    djsandbox.run(sandbox(evaluate_job(ckpt_paths=trained[:1], export_path=str(tmp_path / "out"))))
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == Path(trained[0]).name
    assert "dict_items" in (folder / "evaluation_log.txt").read_text()
    (captions,) = (folder / "captions").glob("coco_*.json")
    assert {"image_id", "caption"} == set(json.loads(captions.read_text())[0])


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("exit-0-nothing", "it has written no captions"),
        ("old-results", "it has written no captions"),
        ("crash-midway", "it has written no captions"),
        ("killed", "it has written no captions"),
        ("out-of-memory", "out of memory"),
        ("no-spice", "score_captions: true"),
        ("missing-metrics", "these scores are missing: CIDEr"),
    ],
)
def test_an_evaluation_that_fails_in_any_way_fails_its_job(mode, said, sandbox, evaluate_job, trained) -> None:
    with pytest.raises(JobFailed) as caught:
        djsandbox.run(sandbox(evaluate_job(mode, ckpt_paths=trained[:1])))
    assert said in str(caught.value)


@pytest.mark.parametrize("mode", ["exit-0-nothing", "old-results", "missing-metrics"])
def test_results_of_an_earlier_evaluation_never_count(mode, sandbox, evaluate_job, trained, tmp_path) -> None:
    place = str(tmp_path / "out")
    djsandbox.run(sandbox(evaluate_job(ckpt_paths=trained[:1], export_path=place)))
    with pytest.raises(JobFailed):
        djsandbox.run(sandbox(evaluate_job(mode, ckpt_paths=trained[:1], export_path=place)))
    assert not list(Path(place).rglob("scores.json"))


def test_the_checkpoint_is_found_through_links_too(sandbox, evaluate_job, trained, tmp_path, stand_in, uses) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "home").symlink_to(stand_in.home)
    (tmp_path / "model").symlink_to(trained[0])
    home = str(tmp_path / "deep" / "er" / "home")
    job = evaluate_job(ckpt_paths=[str(tmp_path / "model")], internvl_home=home)
    assert output_of(djsandbox.run(sandbox(job)), "scores")[0]["avg_score"] > 0


def test_a_checkpoint_whose_path_has_spaces_is_evaluated_too(sandbox, evaluate_job, trained, tmp_path) -> None:
    spaced = tmp_path / "my models" / "the good one"
    spaced.parent.mkdir()
    Path(trained[0]).rename(spaced)
    job = evaluate_job(ckpt_paths=[str(spaced)], export_path=str(tmp_path / "my scores"))
    assert output_of(djsandbox.run(sandbox(job)), "scores")[0]["avg_score"] > 0
    assert (tmp_path / "my scores" / "the good one" / "scores.json").is_file()


def test_options_reach_the_official_evaluation(evaluate_job, trained, stand_in, sandbox) -> None:
    from djsandbox_internvl.evaluation_config import EvaluationConfig

    plain = EvaluationConfig(ckpt_paths=trained)
    assert plain.options() == ("--dynamic",)
    other = EvaluationConfig(ckpt_paths=trained, dynamic=False, load_in_8bit=True, num_beams=3, max_num=12)
    assert other.options() == ("--load-in-8bit", "--max-num", "12", "--num-beams", "3")
    job = evaluate_job(ckpt_paths=trained[:1], num_beams=3, temperature=0.5, seed=7, load_in_4bit=True)
    djsandbox.run(sandbox(job))  # the stand-in refuses what the official evaluation does not know


def test_an_evaluation_without_all_metrics_names_them_and_never_divides_by_nothing() -> None:
    from djsandbox_internvl.caption_scores import checked

    with pytest.raises(ValueError, match="missing: Bleu_1, Bleu_2, Bleu_3, Bleu_4, METEOR, ROUGE_L, CIDEr"):
        checked({})
    with pytest.raises(ValueError, match="CIDEr is nan"):
        checked({**dict.fromkeys(METRICS, 0.5), "CIDEr": float("nan")})


LINES = "\n".join(f"{name}: 0.{at}00" for at, name in enumerate(METRICS, start=1))


@pytest.mark.parametrize(
    ("log", "cider"),
    [
        (LINES, 0.7),
        (f"{LINES}\ndict_items([('Bleu_1', 0.1), ('CIDEr', 0.7123456789)])\n", 0.7123456789),
        ("dict_items([('Bleu_1', np.float64(0.1)), ('CIDEr', np.float64(1.25e-05))])", 1.25e-05),
        (f"{LINES}\nCIDEr: 0.900\n", 0.9),
        ("\r100it [00:10]\r\x1b[32mCIDEr: 0.312\x1b[0m\r\n", 0.312),
        ("CIDEr: none\nCIDEr: 0.5", 0.5),
    ],
)
def test_scores_are_read_from_whatever_surrounds_them(log: str, cider: float) -> None:
    from djsandbox_internvl.caption_scores import scores_in

    assert scores_in(log)["CIDEr"] == cider
