"""The evaluators: metrics as scikit-learn defines them, and the score of a dataset under a model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from djsandbox import ComponentError, JobContext
from djsandbox_sklearn.data_evaluator import SklearnTextQualityEvaluator
from djsandbox_sklearn.linear_model import LinearTextModel
from djsandbox_sklearn.model_evaluator import SklearnTextClassifierEvaluator
from djsandbox_sklearn.scoring import Predictions, metric_values, metrics_of
from sklearn import metrics as reference


def evaluate(models, dataset):
    config = SklearnTextClassifierEvaluator.Config(model_path=models, dataset_path=dataset)
    return SklearnTextClassifierEvaluator(config).run("model")


def quality(model, dataset, watcher=None, **settings):
    config = SklearnTextQualityEvaluator.Config(model_path=model, dataset_path=dataset, **settings)
    evaluator = SklearnTextQualityEvaluator(config)
    return (evaluator.attach(JobContext(watcher=watcher)) if watcher else evaluator).run("data")


def test_results_stand_in_the_order_of_the_models(write, train, sentences):
    models = train([write("small.jsonl", sentences(6, 0)), write("large.jsonl", sentences(300, 1))])
    small, large = evaluate(models, write("test.jsonl", sentences(100, 2)))
    assert [small["name"], large["name"]] == ["small", "large"]
    assert [small["model_path"], large["model_path"]] == models
    assert small["accuracy"] < large["accuracy"]
    assert small["log_loss"] > large["log_loss"]
    assert large["num_samples"] == 100
    assert large["num_train_samples"] == 300


def test_metrics_are_means_over_the_seeds(write, train, sentences):
    (result,) = evaluate(train(write("pool.jsonl", sentences(20, 0)), seeds=[1, 2, 3]), write("test.jsonl", sentences(50, 1)))
    for metric in ("accuracy", "macro_f1", "log_loss"):
        assert len(result["per_seed"][metric]) == 3
        assert result[metric] == pytest.approx(np.mean(result["per_seed"][metric]))


def test_metrics_equal_those_of_scikit_learn():
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 4, 200), random.integers(1, 6, 200)
    probabilities = random.dirichlet(np.ones(6), 200)
    losses = -np.log(probabilities[np.arange(200), truth])
    ours = metrics_of(truth, Predictions(predicted, losses))
    assert ours["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert ours["macro_f1"] == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert ours["log_loss"] == pytest.approx(reference.log_loss(truth, probabilities, labels=range(6)))


def test_weighted_metrics_equal_those_of_the_rows_repeated():
    random = np.random.default_rng(1)
    truth, predicted, losses = random.integers(0, 3, 30), random.integers(0, 5, 30), random.random(30)
    weights = np.bincount(random.integers(0, 30, 30), minlength=30)
    drawn = np.repeat(np.arange(30), weights)
    for metric in ("accuracy", "macro_f1", "log_loss"):
        repeated = metrics_of(truth[drawn], Predictions(predicted[drawn], losses[drawn]))[metric]
        weighted = metric_values(metric, truth, Predictions(predicted, losses), weights[None].astype(float))[0]
        assert weighted == pytest.approx(repeated)


def test_a_label_the_model_never_saw_is_wrong_at_a_bounded_loss(write, train, sentences):
    models = train(write("pool.jsonl", sentences(60, 0, labels=["bread", "sails"])))
    (result,) = evaluate(models, write("test.jsonl", sentences(10, 1, labels=["stars"])))
    assert result["accuracy"] == 0
    assert result["log_loss"] == pytest.approx(-math.log(1e-15))


def test_labels_the_test_set_lacks_do_no_harm(write, train, sentences):
    models = train(write("pool.jsonl", sentences(200, 0)))
    (result,) = evaluate(models, write("test.jsonl", sentences(20, 1, labels=["stars"])))
    assert result["accuracy"] > 0.9


def test_the_data_evaluator_scores_clean_labels_above_wrong_ones(write, train, sentences):
    (model,) = train(write("pool.jsonl", sentences(200, 0)))
    rows = sentences(50, 1, labels=["bread"])
    right = quality(model, write("right.jsonl", rows))
    wrong = quality(model, write("wrong.jsonl", [{**row, "label": "sails"} for row in rows]))
    assert right > 0.8
    assert wrong < 0.2


def test_rows_without_a_label_are_scored_by_the_positive_label(write, train, sentences):
    (model,) = train(write("pool.jsonl", sentences(200, 0)))
    rows = sentences(20, 1, labels=["bread"])
    bare = write("bare.jsonl", [{"text": row["text"]} for row in rows])
    assert quality(model, bare, positive_label="bread") == pytest.approx(quality(model, write("labelled.jsonl", rows)))
    with pytest.raises(ComponentError, match=r"bare\.jsonl:1: the row has no label(.|\n)*positive_label"):
        quality(model, bare)


def test_a_positive_label_the_model_does_not_know_is_an_error(write, train, sentences):
    (model,) = train(write("pool.jsonl", sentences(60, 0)))
    with pytest.raises(ComponentError, match="positive_label 'good'"):
        quality(model, write("data.jsonl", sentences(5, 1)), positive_label="good")


def test_the_distribution_of_the_scores_reaches_the_watcher(write, train, watcher, sentences):
    (model,) = train(write("pool.jsonl", sentences(60, 0)))
    watcher.metrics.clear()
    mean = quality(model, write("data.jsonl", sentences(40, 1)), watcher)
    ((name, seen, _),) = watcher.metrics
    assert name == "distribution"
    assert seen["mean"] == mean
    assert seen["min"] <= seen["q25"] <= seen["median"] <= seen["q75"] <= seen["max"]
    assert seen["num_samples"] == 40


def test_a_folder_that_is_no_model_is_an_error_that_says_what_to_give(write, tmp_path, sentences):
    with pytest.raises(ComponentError, match="not a model folder"):
        evaluate(str(tmp_path), write("test.jsonl", sentences(3, 0)))


def test_a_pickle_in_the_place_of_the_weights_is_refused(write, train, sentences):
    (model,) = train(write("pool.jsonl", sentences(30, 0)))
    with open(f"{model}/weights.npz", "wb") as file:
        np.savez(file, active=np.array([print], dtype=object), weights=np.zeros(1), intercepts=np.zeros(1))
    with pytest.raises(ComponentError, match="cannot be read"):
        LinearTextModel.load(model)


def test_an_empty_test_set_is_an_error_that_names_it(write, train, sentences):
    models = train(write("pool.jsonl", sentences(30, 0)))
    with pytest.raises(ComponentError, match=r"test\.jsonl.*no rows"):
        evaluate(models, write("test.jsonl", []))
