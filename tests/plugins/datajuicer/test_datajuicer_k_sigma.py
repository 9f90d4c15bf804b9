"""k-sigma sets bounds that the operators accept."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import ComponentError
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.k_sigma import KSigmaRefiner
from pydantic import ValidationError


def measures(mean: float, std: float, low: float = 0.0, high: float = 1e9) -> dict[str, float]:
    return {"count": 10.0, "mean": mean, "std": std, "min": low, "max": high}


def refined(workplace: Any, process: list[Any], feedback: Any, **config: Any) -> list[Any]:
    job = workplace.job(KSigmaRefiner, **{"path_k_sigma_recipe": workplace.out("refined.yaml"), **config})
    path = job.run({"dataset_path": "in.jsonl", "process": process}, feedback)
    return list(yaml.safe_load(Path(path).read_text(encoding="utf-8"))["process"])


def test_bounds_become_the_mean_and_three_standard_deviations(workplace: Any) -> None:
    (entry,) = refined(workplace, [{"average_line_length_filter": {"min_len": 10}}], {"avg_line_length": measures(80, 20)})
    assert entry == {"average_line_length_filter": {"min_len": 20, "max_len": 140}}


def test_k_is_the_users_to_choose(workplace: Any) -> None:
    feedback = {"special_char_ratio": measures(0.2, 0.05, 0.01, 0.4)}
    (entry,) = refined(workplace, [{"special_characters_filter": None}], feedback, k=1)
    assert entry["special_characters_filter"] == {"min_ratio": pytest.approx(0.15), "max_ratio": pytest.approx(0.25)}


def test_integers_stay_integers_and_lose_no_sample_by_rounding(workplace: Any) -> None:
    (entry,) = refined(workplace, [{"text_length_filter": {"min_len": 10}}], {"text_len": measures(80.5, 10.1, 50, 120)}, k=2)
    assert entry == {"text_length_filter": {"min_len": 60, "max_len": 101}}
    assert all(type(value) is int for value in entry["text_length_filter"].values())


def test_a_bound_stays_in_the_domain_of_its_operator(workplace: Any) -> None:
    process = [{"text_length_filter": {"min_len": 10}}, {"stopwords_filter": None}, {"image_face_count_filter": None}]
    feedback = {
        "text_len": measures(50, 41, 8, 300),
        "stopwords_ratio": measures(0.8, 0.3, 0.0, 1.0),
        "face_counts": measures(1, 2, 0, 9),
    }
    length, stopwords, faces = refined(workplace, process, feedback)
    assert length["text_length_filter"] == {"min_len": 0, "max_len": 173}
    assert stopwords["stopwords_filter"] == {"min_ratio": 0.0, "max_ratio": 1.0}
    assert faces["image_face_count_filter"]["min_face_count"] == 0


def test_a_statistic_that_is_seen_to_be_negative_may_have_a_negative_bound(workplace: Any) -> None:
    (entry,) = refined(workplace, [{"audio_nmf_snr_filter": None}], {"audio_nmf_snr": measures(2, 3, -8, 20)})
    assert entry["audio_nmf_snr_filter"] == {"min_snr": -7.0, "max_snr": 11.0}


def test_an_operator_with_only_a_lower_bound_gets_only_that(workplace: Any) -> None:
    process = [{"language_id_score_filter": {"lang": "zh", "min_score": 0.8}}]
    (entry,) = refined(workplace, process, {"lang_score": measures(0.9, 0.02, 0.8, 1.0), "lang": {"count": 6.0}})
    assert entry == {"language_id_score_filter": {"lang": "zh", "min_score": pytest.approx(0.84)}}


def test_the_statistic_is_the_one_that_the_operators_arguments_choose(workplace: Any) -> None:
    feedback = {"alnum_ratio": measures(0.7, 0.01, 0.6, 0.9), "alpha_token_ratio": measures(4, 0.1, 3, 5)}
    process = [{"alphanumeric_filter": {"tokenization": True}}, {"alphanumeric_filter": None}]
    tokens, characters = refined(workplace, process, feedback)
    assert tokens["alphanumeric_filter"]["min_ratio"] == pytest.approx(3.7)
    assert characters["alphanumeric_filter"]["min_ratio"] == pytest.approx(0.67)


def test_each_side_of_a_shape_has_its_own_statistic(workplace: Any) -> None:
    feedback = {"image_width": measures(800, 100, 1, 2000), "image_height": measures(600, 50, 1, 900)}
    (entry,) = refined(workplace, [{"image_shape_filter": {"any_or_all": "all"}}], feedback, k=1)
    assert entry["image_shape_filter"] == {
        "any_or_all": "all",
        "min_width": 700,
        "max_width": 900,
        "min_height": 550,
        "max_height": 650,
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"words_num_filter": {"min_num": 4}}, "saw no 'num_words'"),
        ({"image_size_filter": {"min_size": "1kb"}}, "not a plain number"),
        ({"text_length_filter": {"min_len": 4, "reversed_range": True}}, "outside"),
    ],
)
def test_what_cannot_be_refined_stays_as_it_is_with_a_warning(
    workplace: Any, caplog: Any, entry: dict[str, Any], reason: str
) -> None:
    feedback = {"text_len": measures(50, 5), "image_sizes": measures(1000, 10)}
    with caplog.at_level(logging.WARNING, "djsandbox.test"):
        assert refined(workplace, [entry, {"clean_email_mapper": None}], feedback) == [entry, {"clean_email_mapper": None}]
    assert reason in caplog.text


def test_order_and_other_keys_of_the_recipe_are_kept(workplace: Any) -> None:
    recipe = {
        "project_name": "词",
        "dataset_path": "./in.jsonl",
        "np": 2,
        "export_path": "./out.jsonl",
        "process": [{"words_num_filter": None}, {"clean_email_mapper": None}, {"text_length_filter": {"max_len": 9}}],
    }
    untouched = json.dumps(recipe)
    job = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("r.yaml"))
    written = yaml.safe_load(Path(job.run(recipe, {"text_len": measures(5, 1, 1, 9)})).read_text(encoding="utf-8"))
    assert list(written) == list(recipe)
    assert [next(iter(entry)) for entry in written["process"]] == [
        "words_num_filter",
        "clean_email_mapper",
        "text_length_filter",
    ]
    assert {**written, "process": None} == {**recipe, "process": None}
    assert json.dumps(recipe) == untouched


def test_the_recipe_may_be_json(workplace: Any) -> None:
    job = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("r.json"))
    path = job.run({"process": [{"text_length_filter": None}]}, {"text_len": measures(50, 5, 9, 99)})
    assert json.loads(Path(path).read_text())["process"] == [{"text_length_filter": {"min_len": 35, "max_len": 65}}]


def test_old_and_new_bounds_are_shown_in_a_table(workplace: Any) -> None:
    job = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("r.yaml"))
    job.run({"process": [{"text_length_filter": {"min_len": 4}}]}, {"text_len": measures(50, 5, 9, 99)})
    ((_, columns, rows, _),) = job.watcher.tables
    assert columns == ("operator", "argument", "statistic", "before", "after")
    assert list(rows) == [
        ("text_length_filter", "min_len", "text_len", 4, 35),
        ("text_length_filter", "max_len", "text_len", "none", 65),
    ]


@pytest.mark.parametrize("feedback", [None, {}, {"input_rows": 4, "left_after": {"1_text_length_filter": 3}}])
def test_without_an_analysis_there_is_nothing_to_refine_by(workplace: Any, feedback: Any) -> None:
    job = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("r.yaml"))
    with pytest.raises(ComponentError, match="no analysis ran under the meta_name 'job'"):
        job.run({"process": [{"text_length_filter": None}]}, feedback)
    assert not Path(workplace.out("r.yaml")).exists()


def test_a_wrong_config_is_found_before_the_run(workplace: Any) -> None:
    with pytest.raises(ValidationError):
        KSigmaRefiner.Config(path_k_sigma_recipe="r.yaml", k=0)
    (found,) = workplace.job(KSigmaRefiner, path_k_sigma_recipe="r.txt").check()
    assert found.loc == ("path_k_sigma_recipe",)


def test_the_refined_recipe_passes_data_juicers_preflight_and_keeps_what_lies_within(
    workplace: Any, texts: Any, data_juicer: Any
) -> None:
    process = [
        {"text_length_filter": {"min_len": 10}},
        {"words_num_filter": None},
        {"alphanumeric_filter": None},
        {"character_repetition_filter": {"rep_len": 5}},
        {"special_characters_filter": None},
        {"maximum_line_length_filter": None},
    ]
    recipe = {"dataset_path": workplace.dataset(texts), "export_path": workplace.out(), "process": process}
    analysis = workplace.job(DJAnalyzer, **recipe)
    analysis.run()
    refiner = workplace.job(KSigmaRefiner, path_k_sigma_recipe=workplace.out("refined.yaml"))
    path = refiner.run(recipe, analysis.watcher.values[0])
    refined_recipe = yaml.safe_load(Path(path).read_text(encoding="utf-8"))

    from data_juicer.core.preflight import pre_instantiation_check

    pre_instantiation_check(refined_recipe["process"])
    job = workplace.job(DJExecutor, **refined_recipe)
    assert not list(job.check())
    job.run()
    assert job.watcher.values[0]["operator_errors"] == 0
    assert 30 <= job.watcher.values[0]["output_rows"] <= 40
