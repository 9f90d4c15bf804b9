"""The comparison: what is better is called better, what is worse worse, and noise noise."""

from __future__ import annotations

import random

import numpy as np
import pytest
from djsandbox import ComponentError, JobContext
from djsandbox_sklearn.comparison import PairedBootstrapResampling
from djsandbox_sklearn.resampling import intervals, resampled_differences
from djsandbox_sklearn.scoring import Predictions


@pytest.fixture
def compare(watcher):
    def run(models, baseline, dataset, **settings):
        values = {"model_paths": models, "baseline_path": baseline, "dataset_path": dataset, "num_resamples": 300, **settings}
        config = PairedBootstrapResampling.Config.model_validate(values)
        return PairedBootstrapResampling(config).attach(JobContext(watcher=watcher)).run()

    return run


@pytest.fixture
def contest(write, train, sentences):
    """Models of clean data, of data with three labels in four wrong, and of other clean data; and a test set."""
    chance = random.Random(9)
    clean = sentences(300, 0, num_clear=1)
    labels = [row["label"] for row in clean]
    spoiled = [{**row, "label": chance.choice(labels)} if chance.random() < 0.75 else row for row in clean]
    pools = {"clean": clean, "spoiled": spoiled, "same_kind": sentences(300, 1, num_clear=1)}
    models = train([write(f"{name}.jsonl", rows) for name, rows in pools.items()], seeds=[1, 2, 3], bootstrap=True)
    return dict(zip(pools, models, strict=True)), write("test.jsonl", sentences(200, 2, num_clear=1))


def verdicts(rows):
    return {row["name"]: row["verdict"] for row in rows}


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "log_loss"])
def test_spoiled_data_is_worse_and_data_of_the_same_kind_is_noise(contest, compare, metric):
    models, test_set = contest
    rows = compare([models["spoiled"], models["same_kind"]], models["clean"], test_set, metric=metric)
    assert verdicts(rows) == {"clean": "baseline", "same_kind": "noise", "spoiled": "worse"}


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_clean_data_is_better_than_a_spoiled_baseline_and_stands_first(contest, compare, metric):
    models, test_set = contest
    rows = compare([models["clean"]], models["spoiled"], test_set, metric=metric)
    assert [row["name"] for row in rows] == ["clean", "spoiled"]
    assert verdicts(rows) == {"clean": "better", "spoiled": "baseline"}


def test_rows_say_what_the_difference_is_and_where_it_lies(contest, compare):
    models, test_set = contest
    worse = compare([models["spoiled"]], models["clean"], test_set)[-1]
    assert worse["difference"] == pytest.approx(worse["value"] - worse["baseline_value"])
    assert worse["interval_low"] < worse["difference"] < worse["interval_high"] < 0
    assert worse["num_train_samples"] == 300
    assert worse["model_path"] == models["spoiled"]


def test_a_model_compared_with_itself_is_listed_once_as_the_baseline(contest, compare):
    models, test_set = contest
    rows = compare([models["clean"], models["spoiled"]], models["clean"], test_set)
    assert verdicts(rows) == {"clean": "baseline", "spoiled": "worse"}


def test_a_copy_of_the_baseline_with_one_seed_is_noise_of_exactly_nothing(write, train, sentences, compare):
    rows = sentences(60, 0)
    models = train([write("one.jsonl", rows), write("two.jsonl", rows)])
    result = compare(models[:1], models[1], write("test.jsonl", sentences(50, 1)))
    row = next(row for row in result if row["name"] == "one")
    assert (row["difference"], row["interval_low"], row["interval_high"], row["verdict"]) == (0, 0, 0, "noise")


def test_the_same_seed_gives_the_same_intervals_and_another_one_others(contest, compare):
    models, test_set = contest
    first, again, other = (compare([models["spoiled"]], models["clean"], test_set, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_table_can_be_read_without_the_manual(contest, compare, watcher):
    models, test_set = contest
    compare([models["spoiled"], models["same_kind"]], models["clean"], test_set, names=["bad labels", "more of it"])
    ((title, columns, rows, notes),) = watcher.tables
    assert "200 held-out samples" in title
    assert columns == ["trained on", "samples", "accuracy", "vs. baseline", "95% interval", "verdict"]
    assert {row[0] for row in rows} == {"bad labels", "more of it", "clean"}
    assert all(len(row) == len(columns) for row in rows)
    assert rows == sorted(rows, key=lambda row: -float(row[2]))
    assert any("'clean', the baseline" in note for note in notes)
    assert any("contains 0" in note for note in notes)


def test_a_single_seed_is_noted_because_its_luck_is_not_measured(write, train, sentences, compare, watcher):
    models = train([write("one.jsonl", sentences(60, 0)), write("two.jsonl", sentences(60, 1))])
    compare(models[:1], models[1], write("test.jsonl", sentences(30, 2)))
    assert any("one seed only" in note for note in watcher.tables[0][3])


def test_names_of_another_length_are_found_before_the_run(tmp_path):
    config = PairedBootstrapResampling.Config(model_paths=["a", "b"], baseline_path="c", dataset_path="d", names=["only one"])
    (finding,) = PairedBootstrapResampling(config).check()
    assert finding.loc == ("names",)
    assert "1 entries, model_paths 2" in finding.message
    with pytest.raises(ComponentError, match="one name per model"):
        PairedBootstrapResampling(config).run()


def test_names_cannot_be_counted_before_the_models_are_known():
    config = PairedBootstrapResampling.Config(
        model_paths="<filled in by input>", baseline_path="c", dataset_path="d", names=["a", "b"]
    )
    assert list(PairedBootstrapResampling(config).check()) == []


def made_up(share_right: float, size: int, seed: int) -> Predictions:
    """Predictions of 0 (right) and 1 (wrong) where everything is truly 0."""
    wrong = np.random.default_rng(seed).random(size) > share_right
    return Predictions(wrong.astype(int), wrong.astype(float))


def test_resampled_differences_scatter_as_the_theory_of_paired_proportions_says():
    truth = np.zeros(400, dtype=int)
    model, baseline = made_up(0.7, 400, 1), made_up(0.6, 400, 2)
    resampled = resampled_differences("accuracy", truth, [[model]], [baseline], num_resamples=4000, seed=0)[:, 0]
    per_row = (model.predicted == truth).astype(float) - (baseline.predicted == truth)
    assert resampled.mean() == pytest.approx(per_row.mean(), abs=0.003)
    assert resampled.std() == pytest.approx(per_row.std() / np.sqrt(400), rel=0.05)


def test_the_luck_of_training_widens_the_interval():
    truth = np.zeros(400, dtype=int)
    baseline = [made_up(0.6, 400, 0)]
    steady = [made_up(0.7, 400, 1)] * 4
    moody = [made_up(share, 400, 1) for share in (0.6, 0.66, 0.74, 0.8)]
    spread = resampled_differences("accuracy", truth, [steady, moody], baseline, num_resamples=1000, seed=0).std(axis=0)
    assert spread[1] > 1.5 * spread[0]


def test_all_intervals_together_hold_as_often_as_promised():
    """Twenty models no better than the baseline, many times over: a family with any verdict but noise is rare."""
    truth = np.zeros(150, dtype=int)
    false_alarms = 0
    for trial in range(60):
        models = [[made_up(0.5, 150, 1000 * trial + index)] for index in range(20)]
        baseline = [made_up(0.5, 150, 1000 * trial + 999)]
        resampled = resampled_differences("accuracy", truth, models, baseline, num_resamples=200, seed=trial)
        right = np.array([(side[0].predicted == 0).mean() for side in (baseline, *models)])
        false_alarms += any(not span.holds_zero for span in intervals(right[1:] - right[0], resampled, 0.95))
    assert false_alarms <= 8  # 3 are expected; single intervals would give about 35
