"""The model-feedback refiner chooses the bounds whose kept samples score best, and says what that is worth."""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import ComponentError
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.model_feedback import ModelFeedbackRefiner
from pydantic import ValidationError

Rows = list[dict[str, Any]]


def scored(statistics: Sequence[Mapping[str, Any]], loss: Callable[[Mapping[str, Any]], float]) -> Rows:
    return [
        {"text": f"sample {number}", "__dj__stats__": dict(seen), "model_feedback": {"loss": loss(seen)}}
        for number, seen in enumerate(statistics)
    ]


def refiner(workplace: Any, rows: Rows, **config: Any) -> ModelFeedbackRefiner:
    settings = {
        "path_model_feedback_recipe": workplace.out("refined.yaml"),
        "feedback_path": workplace.dataset(rows, "feedback.jsonl"),
        "score_key": "model_feedback.loss",
        "direction": "minimize",
        **config,
    }
    job: ModelFeedbackRefiner = workplace.job(ModelFeedbackRefiner, **settings)
    return job


def refined(job: ModelFeedbackRefiner, process: list[Any]) -> list[Any]:
    path = job.run({"dataset_path": "in.jsonl", "process": process}, None)
    return list(yaml.safe_load(Path(path).read_text(encoding="utf-8"))["process"])


def lengths(*values: int) -> list[dict[str, int]]:
    return [{"text_len": value} for value in values]


LONG_IS_BAD = scored(lengths(*range(1, 101)), lambda seen: 1.0 if seen["text_len"] <= 50 else 3.0)


def test_the_bound_lies_where_the_loss_rises(workplace: Any) -> None:
    (entry,) = refined(refiner(workplace, LONG_IS_BAD, max_candidates=100), [{"text_length_filter": {"min_len": 1}}])
    assert entry == {"text_length_filter": {"min_len": 1, "max_len": 50}}
    assert type(entry["text_length_filter"]["max_len"]) is int


def test_a_good_score_may_be_a_high_one(workplace: Any) -> None:
    job = refiner(workplace, LONG_IS_BAD, max_candidates=100, direction="maximize")
    assert refined(job, [{"text_length_filter": {"min_len": 1}}]) == [{"text_length_filter": {"min_len": 51}}]


@pytest.mark.parametrize(("floor", "longest"), [(0.7, 70), (0.51, 51), (0.5, 50), (0.1, 50)])
def test_the_floor_holds_and_ties_keep_more(workplace: Any, floor: float, longest: int) -> None:
    job = refiner(workplace, LONG_IS_BAD, max_candidates=100, min_keep_ratio=floor)
    assert refined(job, [{"text_length_filter": {"min_len": 1}}]) == [
        {"text_length_filter": {"min_len": 1, "max_len": longest}}
    ]


def test_the_floor_is_that_of_all_filters_together(workplace: Any) -> None:
    chance = random.Random(0)
    statistics = [{"text_len": chance.randrange(100), "num_words": chance.randrange(100)} for _ in range(400)]
    rows = scored(statistics, lambda seen: seen["text_len"] + seen["num_words"])
    process = refined(refiner(workplace, rows, min_keep_ratio=0.4), [{"text_length_filter": {}}, {"words_num_filter": {}}])
    length, words = process[0]["text_length_filter"], process[1]["words_num_filter"]
    kept = [
        seen for seen in statistics
        if length.get("min_len", 10) <= seen["text_len"] <= length.get("max_len", 999)
        and words.get("min_num", 10) <= seen["num_words"] <= words.get("max_num", 999)
    ]  # fmt: skip
    assert {"max_len", "max_num"} <= set(length) | set(words)
    assert 160 <= len(kept) < 200


def test_the_bounds_are_the_best_of_all_there_are(workplace: Any) -> None:
    chance = random.Random(1)
    values = sorted(chance.sample(range(1000), 30))
    rows = scored(lengths(*values), lambda seen: chance.random())
    (entry,) = refined(refiner(workplace, rows, min_keep_ratio=0.3), [{"text_length_filter": {"min_len": 0}}])
    loss = {row["__dj__stats__"]["text_len"]: row["model_feedback"]["loss"] for row in rows}

    def mean_between(low: float, high: float) -> float:
        kept = [loss[value] for value in values if low <= value <= high]
        return sum(kept) / len(kept) if len(kept) >= 9 else 9.0

    best = min(mean_between(low, high) for low, high in itertools.combinations(values, 2))
    chosen = entry["text_length_filter"]
    assert mean_between(chosen["min_len"], chosen.get("max_len", 10**9)) == pytest.approx(best)


@pytest.mark.parametrize(
    "process", [[{"text_length_filter": None}], ["text_length_filter"], [{"text_length_filter": {"min_len": 10}}]]
)
def test_where_no_bounds_are_better_the_recipe_stays_as_it_is(workplace: Any, process: list[Any]) -> None:
    job = refiner(workplace, scored(lengths(*range(20, 60)), lambda seen: 0.7))
    assert refined(job, process) == process
    ((_, _, _, notes),) = job.watcher.tables
    assert any("stays as it is" in note for note in notes)


def test_bounds_that_keep_too_little_are_opened(workplace: Any) -> None:
    job = refiner(workplace, LONG_IS_BAD, max_candidates=100, min_keep_ratio=0.6)
    process = [{"text_length_filter": {"min_len": 1, "max_len": 20}}]
    assert refined(job, process) == [{"text_length_filter": {"min_len": 1, "max_len": 60}}]
    ((_, _, _, notes),) = job.watcher.tables
    assert any("20.0%" in note and "less than min_keep_ratio" in note for note in notes)


def test_a_bound_of_the_recipe_that_costs_quality_is_taken_out(workplace: Any) -> None:
    rows = scored(lengths(*range(1, 101)), lambda seen: 3.0 if seen["text_len"] <= 50 else 1.0)
    job = refiner(workplace, rows, max_candidates=100)
    process = [{"text_length_filter": {"min_len": 5, "max_len": 80}}]
    assert refined(job, process) == [{"text_length_filter": {"min_len": 51}}]


def test_bounds_stay_in_the_domain_and_between_the_values(workplace: Any) -> None:
    ratios = [{"special_char_ratio": value / 40} for value in range(41)]
    rows = scored(ratios, lambda seen: 0.0 if 0.25 <= seen["special_char_ratio"] <= 0.9 else 1.0)
    (entry,) = refined(refiner(workplace, rows), [{"special_characters_filter": {"min_ratio": 0.0, "max_ratio": 0.25}}])
    low, high = entry["special_characters_filter"]["min_ratio"], entry["special_characters_filter"]["max_ratio"]
    assert 0.225 < low <= 0.25
    assert 0.9 <= high < 0.925


def test_open_intervals_are_reckoned_with(workplace: Any) -> None:
    process = [{"text_length_filter": {"min_len": 0, "max_closed_interval": False}}]
    (entry,) = refined(refiner(workplace, LONG_IS_BAD, max_candidates=100), process)
    assert entry["text_length_filter"]["max_len"] == 51


@pytest.mark.parametrize(("mode", "longest"), [("any", 30), ("all", 50)])
def test_several_values_a_sample_count_as_the_operator_counts_them(workplace: Any, mode: str, longest: int) -> None:
    durations = [{"video_duration": [short, short + 20]} for short in range(1, 41)] + [{"video_duration": []}] * 10
    rows = scored(durations, lambda seen: float(bool(seen["video_duration"]) and seen["video_duration"][0] > 30))
    process = [{"video_duration_filter": {"any_or_all": mode, "min_duration": 0}}]
    (entry,) = refined(refiner(workplace, rows, min_keep_ratio=0.2, max_candidates=200), process)
    assert longest <= entry["video_duration_filter"]["max_duration"] < longest + 1


@pytest.mark.parametrize(
    ("entry", "statistics", "reason"),
    [
        ({"words_num_filter": {"min_num": 4}}, lengths(1, 2, 3), "have no 'num_words'"),
        ({"text_length_filter": {"min_len": 1}}, [*lengths(1, 2), {"text_len": None}], "1 of 3 samples have no 'text_len'"),
        ({"image_size_filter": {"min_size": "1kb"}}, [{"image_sizes": [1, 2]}] * 3, "not a plain number"),
        ({"text_length_filter": {"min_len": 4, "reversed_range": True}}, lengths(1, 2, 3), "outside"),
        ({"image_shape_filter": {}}, [{"image_width": [1, 2], "image_height": [1, 2]}] * 3, "together with those of another"),
    ],
)
def test_what_cannot_be_refined_stays_as_it_is_with_a_warning(
    workplace: Any, caplog: Any, entry: dict[str, Any], statistics: list[dict[str, Any]], reason: str
) -> None:
    process = [entry, {"clean_email_mapper": None}]
    with caplog.at_level(logging.WARNING, "djsandbox.test"):
        assert refined(refiner(workplace, scored(statistics, lambda seen: 1.0)), process) == process
    assert reason in caplog.text


def test_other_keys_and_operators_of_the_recipe_are_kept(workplace: Any) -> None:
    recipe = {"project_name": "词", "np": 2, "process": [{"clean_email_mapper": None}, {"text_length_filter": {"min_len": 1}}]}
    untouched = json.dumps(recipe)
    job = refiner(workplace, LONG_IS_BAD, path_model_feedback_recipe=workplace.out("r.json"), max_candidates=100)
    written = json.loads(Path(job.run(recipe, {"any": "thing"})).read_text(encoding="utf-8"))
    assert {**written, "process": None} == {**recipe, "process": None}
    assert written["process"] == [{"clean_email_mapper": None}, {"text_length_filter": {"min_len": 1, "max_len": 50}}]
    assert json.dumps(recipe) == untouched


def test_the_table_tells_what_each_bound_was_chosen_from(workplace: Any) -> None:
    job = refiner(workplace, LONG_IS_BAD, max_candidates=100)
    refined(job, [{"text_length_filter": {"min_len": 1}}])
    ((title, columns, rows, notes),) = job.watcher.tables
    assert title == "Bounds by model feedback (minimize model_feedback.loss on 100 samples)"
    found = dict(zip(columns, rows[1], strict=True))
    assert found == {
        "operator": "text_length_filter", "argument": "max_len", "statistic": "text_len",
        "before": "none", "after": 50, "tried": 101, "kept before": "100.0%", "kept after": "50.0%",
        "loss before": "2", "loss after": "1", "held out": found["held out"],
    }  # fmt: skip
    assert float(found["held out"]) == pytest.approx(1, abs=0.1)
    assert rows[2][0] == "all filters"
    assert any(note.startswith("improvement: 1 on the samples") and "chance" not in note for note in notes)


def test_a_gain_that_does_not_hold_on_other_samples_is_called_chance(workplace: Any, caplog: Any) -> None:
    chance = random.Random(3)
    rows = scored([{"text_len": chance.randrange(1000)} for _ in range(300)], lambda seen: chance.random())
    job = refiner(workplace, rows, min_keep_ratio=0.1)
    with caplog.at_level(logging.WARNING, "djsandbox.test"):
        (entry,) = refined(job, [{"text_length_filter": {"min_len": 0}}])
    assert entry != {"text_length_filter": {"min_len": 0}}
    assert "may be chance" in caplog.text
    ((_, columns, (*_, total), _),) = job.watcher.tables
    of_all = dict(zip(columns, total, strict=True))
    assert float(of_all["loss after"]) < float(of_all["held out"])


def test_the_same_feedback_gives_the_same_recipe(workplace: Any) -> None:
    chance = random.Random(4)
    rows = scored([{"text_len": chance.randrange(99)} for _ in range(60)], lambda seen: chance.random())
    jobs = [refiner(workplace, rows) for _ in range(2)]
    assert refined(jobs[0], [{"text_length_filter": {}}]) == refined(jobs[1], [{"text_length_filter": {}}])
    assert jobs[0].watcher.tables == jobs[1].watcher.tables


def test_statistics_of_another_file_are_joined_by_content_and_not_by_order(workplace: Any) -> None:
    bare = [{key: value for key, value in row.items() if key != "__dj__stats__"} for row in LONG_IS_BAD]
    analysed = [{key: value for key, value in row.items() if key != "model_feedback"} for row in reversed(LONG_IS_BAD)]
    stats_path = workplace.dataset([*analysed, analysed[0]], "analysed.jsonl")
    job = refiner(workplace, bare, stats_path=stats_path, max_candidates=100)
    assert refined(job, [{"text_length_filter": {"min_len": 1}}]) == [{"text_length_filter": {"min_len": 1, "max_len": 50}}]


def test_rows_that_cannot_be_told_apart_are_an_error(workplace: Any) -> None:
    twins = [{"text": "same", "__dj__stats__": {"text_len": length}} for length in (1, 2)]
    job = refiner(workplace, [{"text": "same", "model_feedback": {"loss": 1}}], stats_path=workplace.dataset(twins, "a.jsonl"))
    with pytest.raises(ComponentError, match=r"feedback\.jsonl:1: .*several rows(.|\n)*join_key"):
        refined(job, [{"text_length_filter": None}])


@pytest.mark.parametrize(
    ("row", "config", "message"),
    [
        ({"text": "a", "__dj__stats__": {}}, {}, "no sample has a number under 'model_feedback.loss'(.|\n)*the keys: text"),
        ({"text": "a", "model_feedback": {"loss": 1}}, {}, "no sample has statistics(.|\n)*export_original_dataset"),
        ({"model_feedback": {"loss": "low"}}, {}, r"feedback\.jsonl:1: 'model_feedback.loss' is str, not a number"),
    ],
)
def test_samples_that_say_nothing_are_an_error_that_says_what_to_do(
    workplace: Any, row: dict[str, Any], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        refined(refiner(workplace, [row], **config), [{"text_length_filter": None}])


def test_statistics_without_the_rows_they_are_of_cannot_be_joined(workplace: Any) -> None:
    stats_path = workplace.dataset([{"__dj__stats__": {"text_len": 1}}], "stats.jsonl")
    job = refiner(workplace, [{"text": "a", "model_feedback": {"loss": 1}}], stats_path=stats_path)
    with pytest.raises(ComponentError, match=r"stats\.jsonl:1: the row has no 'text'"):
        refined(job, [{"text_length_filter": None}])


def test_a_wrong_config_is_found_before_the_run(workplace: Any) -> None:
    good = {"path_model_feedback_recipe": "r.yaml", "feedback_path": "f.jsonl", "score_key": "loss", "direction": "minimize"}
    for wrong in ({"direction": "up"}, {"min_keep_ratio": 0}, {"min_keep_ratio": 1.1}, {"max_candidates": 1}):
        with pytest.raises(ValidationError):
            ModelFeedbackRefiner.Config.model_validate({**good, **wrong})
    (found,) = refiner(workplace, [], path_model_feedback_recipe="r.txt").check()
    assert found.loc == ("path_model_feedback_recipe",)


def test_data_juicer_keeps_just_what_the_search_expected(workplace: Any, data_juicer: Any, rows_of: Any) -> None:
    chance = random.Random(5)
    rows = [{"text": " ".join(["word"] * chance.randrange(1, 40)) + "!" * chance.randrange(9)} for _ in range(120)]
    process = [{"words_num_filter": {"min_num": 1}}, {"special_characters_filter": {"max_ratio": 0.9}}]
    from djsandbox_datajuicer.analyzer import DJAnalyzer

    analysed = workplace.job(
        DJAnalyzer, dataset_path=workplace.dataset(rows), export_path=workplace.out("analysed.jsonl"),
        export_original_dataset=True, process=process,
    ).run()  # fmt: skip
    feedback = [{**row, "model_feedback": {"loss": abs(row["__dj__stats__"]["num_words"] - 20)}} for row in rows_of(analysed)]
    job = refiner(workplace, feedback)
    refined_process = refined(job, process)
    done = workplace.job(DJExecutor, dataset_path=analysed, export_path=workplace.out(), process=refined_process)
    assert not list(done.check())
    done.run()
    ((_, columns, (*_, total), _),) = job.watcher.tables
    share = dict(zip(columns, total, strict=True))["kept after"]
    assert f"{done.watcher.values[0]['output_rows'] / 120:.1%}" == share
