"""What the components say of their results before they run is what they then give."""

from __future__ import annotations

import pytest
from djsandbox import DECIDED_AT_RUN, JobContext
from djsandbox_sklearn.comparison import PairedBootstrapResampling
from djsandbox_sklearn.model_evaluator import SklearnTextClassifierEvaluator
from djsandbox_sklearn.trainer import SklearnTextClassifierTrainer

LATER = "<decided at run: p.job.key>"


def component(component_class, **config):
    return component_class(component_class.Config.model_validate(config))


def assert_planned(shape, value):
    """`value` has the keys and lengths of `shape`, and its values where these are known."""
    if isinstance(shape, dict):
        assert shape.keys() == value.keys()
        for key, part in shape.items():
            assert_planned(part, value[key])
    elif isinstance(shape, list):
        assert len(shape) == len(value)
        for part, known in zip(shape, value, strict=True):
            assert_planned(part, known)
    else:
        assert shape is DECIDED_AT_RUN or shape == value


def test_results_are_as_planned(write, train, sentences, tmp_path, watcher):
    pools = [write("a/x.jsonl", sentences(20, 0)), write("b/x.jsonl", sentences(30, 1)), write("y.jsonl", sentences(30, 2))]
    trainer = component(SklearnTextClassifierTrainer, train_dataset=pools, export_path=str(tmp_path / "models"))
    models = train(pools)
    assert trainer.planned_outputs() == models
    test_set = write("test.jsonl", sentences(20, 3))
    evaluator = component(SklearnTextClassifierEvaluator, model_path=models, dataset_path=test_set)
    assert_planned(evaluator.planned_outputs(), evaluator.run("model"))
    values = {"model_paths": models, "baseline_path": models[1], "dataset_path": test_set, "num_resamples": 100}
    comparison = component(PairedBootstrapResampling, **values).attach(JobContext(watcher=watcher))
    rows = comparison.run()
    assert len(rows) == 3
    assert_planned(comparison.planned_outputs(), rows)


@pytest.mark.parametrize(
    ("component_class", "config"),
    [
        (SklearnTextClassifierTrainer, {"train_dataset": LATER, "export_path": "models"}),
        (SklearnTextClassifierEvaluator, {"model_path": LATER, "dataset_path": "test.jsonl"}),
        (PairedBootstrapResampling, {"model_paths": LATER, "baseline_path": "m", "dataset_path": "test.jsonl"}),
        (PairedBootstrapResampling, {"model_paths": ["m"], "baseline_path": LATER, "dataset_path": "test.jsonl"}),
    ],
)
def test_how_many_results_there_are_is_open_while_the_inputs_are(component_class, config):
    assert component(component_class, **config).planned_outputs() is DECIDED_AT_RUN
