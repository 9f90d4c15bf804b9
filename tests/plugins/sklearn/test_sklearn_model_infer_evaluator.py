"""The evaluator that says of each sample how a trained classifier fares on it."""

from __future__ import annotations

import asyncio
import math

import pytest
from djsandbox import ComponentError, JobContext
from djsandbox_sklearn.model_evaluator import SklearnTextClassifierEvaluator
from djsandbox_sklearn.model_infer_evaluator import SklearnTextFeedback


def feedback(model, samples, tmp_path, **settings):
    config = SklearnTextFeedback.Config(model_path=model, **settings)
    evaluator = SklearnTextFeedback(config).attach(JobContext(log_file=tmp_path / "infer.log"))
    return asyncio.run(evaluator.run("infer_on_data", samples))


def test_each_sample_has_its_loss_confidence_and_predicted_label(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(200, 0)))
    samples = sentences(60, 1)
    results = feedback(model, samples, tmp_path)
    assert len(results) == 60
    for sample, result in zip(samples, results, strict=True):
        assert set(result) == {"loss", "confidence", "predicted"}
        assert result["loss"] == pytest.approx(-math.log(result["confidence"]))
        if result["confidence"] > 0.5:
            assert result["predicted"] == sample["label"]


def test_losses_and_predictions_are_those_of_the_model_evaluator(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(40, 0)))
    samples = sentences(80, 1)
    config = SklearnTextClassifierEvaluator.Config(model_path=model, dataset_path=write("test.jsonl", samples))
    (expected,) = SklearnTextClassifierEvaluator(config).run("model")
    results = feedback(model, samples, tmp_path)
    hits = [result["predicted"] == sample["label"] for result, sample in zip(results, samples, strict=True)]
    assert sum(hits) / 80 == expected["accuracy"]
    assert sum(result["loss"] for result in results) / 80 == pytest.approx(expected["log_loss"])


def test_a_wrong_label_is_what_a_model_is_not_confident_of(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(200, 0)))
    clean = sentences(30, 1, labels=["bread"])
    dirty = [{**row, "label": "sails"} for row in clean]
    results = feedback(model, [*clean, *dirty], tmp_path)
    assert max(result["loss"] for result in results[:30]) < min(result["loss"] for result in results[30:])


def test_the_confidence_is_the_mean_over_the_seeds(write, train, sentences, tmp_path):
    pool, samples = write("pool.jsonl", sentences(15, 0)), sentences(5, 1)
    single = [train(pool, folder=f"seed_{seed}", seeds=[seed])[0] for seed in (1, 2)]
    (both,) = train(pool, folder="both", seeds=[1, 2])
    one, other, mean = (feedback(model, samples, tmp_path) for model in (*single, both))
    for first, second, result in zip(one, other, mean, strict=True):
        assert result["confidence"] == pytest.approx((first["confidence"] + second["confidence"]) / 2, abs=1e-6)


def test_a_label_the_model_never_saw_has_no_confidence_at_a_bounded_loss(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(60, 0, labels=["bread", "sails"])))
    (result,) = feedback(model, sentences(1, 1, labels=["stars"]), tmp_path)
    assert result["confidence"] == 0
    assert result["loss"] == pytest.approx(-math.log(1e-15))


def test_text_and_label_may_stand_elsewhere_than_in_the_training_data(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(60, 0)))
    samples = sentences(5, 1)
    nested = [{"meta": {"kind": row["label"]}, "body": row["text"]} for row in samples]
    assert feedback(model, nested, tmp_path, text_key="body", label_key="meta.kind") == feedback(model, samples, tmp_path)


def test_a_sample_that_lacks_its_label_is_an_error_that_names_it(write, train, sentences, tmp_path):
    (model,) = train(write("pool.jsonl", sentences(60, 0)))
    with pytest.raises(ComponentError, match=r"the sample:2: the label key 'label' is missing(.|\n)*label_key"):
        feedback(model, [*sentences(1, 1), {"text": "some dough"}], tmp_path)
