"""Training: one model per pool, reproducible, watched, with nothing executable in its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from djsandbox import ComponentError
from djsandbox_sklearn.linear_model import LinearTextModel
from djsandbox_sklearn.trainer import SklearnTextClassifierTrainer
from pydantic import ValidationError


def files_of(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_there_is_one_model_per_pool_in_the_order_of_the_config(write, train, sentences):
    pools = [write(f"{name}.jsonl", sentences(60, seed)) for seed, name in enumerate(["zebra", "apple"])]
    models = train(pools)
    assert [Path(model).name for model in models] == ["zebra", "apple"]
    assert [LinearTextModel.load(model).manifest.num_train_samples for model in models] == [60, 60]


def test_a_training_in_a_process_of_its_own_gives_the_same_model_and_metrics(write, train, train_apart, watcher, sentences):
    pools = [write(f"{name}.jsonl", sentences(60, seed)) for seed, name in enumerate(["zebra", "apple"])]
    here = train(pools, "here", seeds=[1, 2], bootstrap=True)
    metrics, watcher.metrics = watcher.metrics, []
    apart = train_apart(pools, "apart", seeds=[1, 2], bootstrap=True)
    assert [Path(model).name for model in apart] == ["zebra", "apple"]
    assert [files_of(model) for model in apart] == [files_of(model) for model in here]
    assert watcher.metrics == metrics


def test_a_worker_that_cannot_train_says_why_with_file_and_line(write, train_apart):
    path = write("pool.jsonl", [{"text": "fine", "label": "bread"}, {"text": "no label"}])
    with pytest.raises(ComponentError, match="task 'pool' failed") as caught:
        train_apart(path)
    assert f"{path}:2" in str(caught.value)
    assert "the label key 'label' is missing" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_how_trainings_are_run_changes_no_key():
    values = {"train_dataset": ["a.jsonl"], "export_path": "models"}
    ways = {"launcher": {"type": "local", "max_parallel": 2}, "on_failure": "finish_others", "retries": 1, "timeout": 60}
    plain, other = (
        SklearnTextClassifierTrainer(SklearnTextClassifierTrainer.Config.model_validate(given))
        for given in (values, {**values, **ways})
    )
    assert plain.key_fields() == other.key_fields()
    assert not set(ways) & set(plain.key_fields())


def test_a_single_pool_still_gives_a_list(write, train, sentences):
    assert len(train(write("one.jsonl", sentences(30, 0)))) == 1


def test_pools_of_one_basename_do_not_overwrite_each_other(write, train, sentences):
    models = train([write("low/x.jsonl", sentences(30, 0)), write("high/x.jsonl", sentences(40, 1))])
    assert [Path(model).name for model in models] == ["low_x", "high_x"]
    assert [LinearTextModel.load(model).manifest.num_train_samples for model in models] == [30, 40]


def test_the_same_config_gives_the_same_bytes(write, train, sentences):
    pool = write("pool.jsonl", sentences(80, 0))
    first, second = (train(pool, folder, seeds=[3, 4], bootstrap=True)[0] for folder in ("first", "second"))
    assert files_of(first) == files_of(second)


def test_another_seed_gives_another_model(write, train, sentences):
    pool = write("pool.jsonl", sentences(80, 0))
    weights = [LinearTextModel.load(train(pool, f"seed{seed}", seed=seed)[0]).weights for seed in (0, 1)]
    assert not np.array_equal(*weights)


def test_several_seeds_stand_in_one_model(write, train, sentences):
    pool = write("pool.jsonl", sentences(80, 0))
    both = LinearTextModel.load(train(pool, "both", seeds=[5, 6])[0])
    alone = LinearTextModel.load(train(pool, "alone", seed=6)[0])
    assert both.manifest.seeds == [5, 6]
    vectors = np.eye(256, dtype=np.float32)
    assert np.allclose(both.probabilities(vectors, 1), alone.probabilities(vectors, 0))


def test_a_model_folder_holds_json_and_arrays_that_need_no_pickle(write, train, sentences):
    (model,) = train(write("pool.jsonl", sentences(30, 0)))
    assert sorted(files_of(model)) == ["manifest.json", "weights.npz"]
    with np.load(Path(model) / "weights.npz", allow_pickle=False) as arrays:
        assert {array.dtype.kind for array in (arrays[name] for name in arrays)} <= {"f", "i"}
    assert json.loads((Path(model) / "manifest.json").read_text())["labels"]


def test_a_model_does_not_record_where_its_data_lay(write, train, tmp_path, sentences):
    (model,) = train(write("pool.jsonl", sentences(30, 0)))
    assert str(tmp_path).encode() not in b"".join(files_of(model).values())


def test_the_loss_of_every_epoch_reaches_the_watcher_and_falls(write, train, watcher, sentences):
    train(write("pool.jsonl", sentences(200, 0)), epochs=4, batch_size=50, seed=7)
    assert {name for name, _, _ in watcher.metrics} == {"train.pool.seed_7.loss"}
    steps = [step for _, _, step in watcher.metrics]
    losses = [loss for _, loss, _ in watcher.metrics]
    assert steps == [1, 2, 3, 4]
    assert losses[0] > losses[-1] > 0


def test_sorted_rows_train_as_well_as_shuffled_ones(write, train, sentences):
    rows = sentences(300, 0)
    held_out = sentences(100, 1)
    pools = [write("shuffled.jsonl", rows), write("sorted.jsonl", sorted(rows, key=lambda row: row["label"]))]
    from djsandbox_sklearn.model_evaluator import SklearnTextClassifierEvaluator as Evaluator

    config = Evaluator.Config(model_path=train(pools, batch_size=30), dataset_path=write("test.jsonl", held_out))
    accuracies = [result["accuracy"] for result in Evaluator(config).run("model")]
    assert min(accuracies) > 0.95


def test_bootstrap_gives_each_seed_its_own_draw_of_the_rows(write, train, sentences):
    rare = [{"text": "unicorn", "label": "stars"}]
    pool = write("pool.jsonl", [*sentences(120, 0, labels=["bread", "sails"]), *rare])
    model = LinearTextModel.load(train(pool, seeds=list(range(12)), bootstrap=True)[0])
    stars = model.manifest.labels.index("stars")
    positive = (model.weights[:, stars] > 0).any(axis=1)
    assert 0 < positive.sum() < 12  # some draws hold the only row of its kind, some do not


@pytest.mark.parametrize("labels", [["bread", "sails"], ["bread"]])
def test_pools_with_two_labels_or_one_make_models_too(write, train, labels, sentences):
    model = LinearTextModel.load(train(write("pool.jsonl", sentences(60, 0, labels=labels)))[0])
    probabilities = model.probabilities(np.zeros((1, 256), dtype=np.float32), 0)
    assert probabilities.shape == (1, len(labels))
    assert probabilities.sum() == pytest.approx(1)


def test_keys_may_be_dotted(write, train, sentences):
    rows = [{"meta": {"body": row["text"], "class": {"name": row["label"]}}} for row in sentences(60, 0)]
    (model,) = train(write("pool.jsonl", rows), text_key="meta.body", label_key="meta.class.name")
    assert sorted(LinearTextModel.load(model).manifest.labels) == ["bread", "sails", "stars"]


def test_texts_with_no_word_in_them_do_no_harm(write, train, sentences):
    rows = [{"text": "", "label": "bread"}, {"text": "\n", "label": "sails"}, *sentences(30, 0)]
    assert LinearTextModel.load(train(write("pool.jsonl", rows), batch_size=1)[0]).manifest.num_train_samples == 32


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "unclosed', "not a JSON object"),
        ("[1, 2]", "expected a JSON object, got list"),
        ('{"label": "bread"}', "the text key 'text' is missing"),
        ('{"text": 5, "label": "bread"}', "the text key 'text' is int, not a text"),
        ('{"text": "x", "label": null}', "the label key 'label' is NoneType"),
        ('{"text": "x", "kind": "y"}', "the row has the keys: text, kind"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path, train, line, message):
    path = tmp_path / "pool.jsonl"
    path.write_text('{"text": "fine", "label": "bread"}\n\n' + line + "\n")
    with pytest.raises(ComponentError) as caught:
        train(str(path))
    assert f"{path}:3" in str(caught.value)
    assert message in str(caught.value)


def test_an_empty_pool_is_an_error_that_names_it(write, train):
    path = write("empty.jsonl", [])
    with pytest.raises(ComponentError, match=r"empty\.jsonl.*no rows"):
        train(path)


def test_a_failed_training_leaves_an_earlier_model_as_it_was(write, train, sentences):
    pool = write("pool.jsonl", sentences(30, 0))
    (model,) = train(pool)
    before = files_of(model)
    write("pool.jsonl", [{"text": "no label"}])
    with pytest.raises(ComponentError):
        train(pool)
    assert files_of(model) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": [1, 1]},
        {"seeds": []},
        {"seed": -1},
        {"epochs": 0},
        {"ngram_range": [2, 1]},
        {"analyzer": "sentence"},
        {"train_dataset": []},
        {"epoch": 3},
    ],
)
def test_a_wrong_config_is_refused_before_any_run(wrong):
    values = {"train_dataset": ["a.jsonl"], "export_path": "models", **wrong}
    with pytest.raises(ValidationError):
        SklearnTextClassifierTrainer.Config.model_validate(values)
