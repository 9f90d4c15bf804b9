"""What is found before the first job runs: in the keys, in the model's folder, in the data."""

from __future__ import annotations

from typing import Any

import pytest
from djsandbox_modelscope.worker import leavings

from .conftest import Sandbox, configuration, write_model, write_rows


def errors(sandbox: Sandbox, **changes: Any) -> list[str]:
    return [message for severity, message in sandbox.problems(**changes) if severity == "error"]


def warnings(sandbox: Sandbox, **changes: Any) -> list[str]:
    found = sandbox.problems(**changes)
    assert not [message for severity, message in found if severity == "error"]
    return [message for _, message in found]


def test_a_training_in_order_is_valid_and_writes_nothing(sandbox: Sandbox) -> None:
    assert sandbox.problems() == []
    assert not sandbox.work_dir.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluation": {"period": {"interval": 1}}},
        {"train": {"max_epochs": 1, "hooks": [{"type": "EvaluationHook", "interval": 1}]}},
        {"train": {"max_epochs": 1, "checkpoint": {"best": {"metric_key": "accuracy"}}}},
        {"train": {"max_epochs": 1, "checkpoint.best": {"metric_key": "accuracy"}}},
    ],
    ids=["period", "hook", "best", "best, dotted"],
)
def test_an_evaluation_without_a_dataset_is_an_error_before_the_first_epoch(sandbox: Sandbox, changes: dict[str, Any]) -> None:
    (message,) = errors(sandbox, **changes)
    assert "needs an evaluation dataset" in message
    assert warnings(sandbox, eval_dataset="./rows.jsonl", **changes) == []


def test_evaluation_settings_without_a_dataset_are_a_warning(sandbox: Sandbox) -> None:
    (message,) = warnings(sandbox, evaluation={"metrics": "seq-cls-metric"})
    assert "nothing is evaluated" in message


def test_a_misspelt_trainer_is_found_with_the_one_that_is_meant(sandbox: Sandbox) -> None:
    (message,) = errors(sandbox, trainer_name="nlp-bas-trainer")
    assert message == "ModelScope has no trainer 'nlp-bas-trainer'"


def test_where_the_models_own_code_may_run_an_unknown_trainer_is_a_warning(sandbox: Sandbox) -> None:
    (message,) = warnings(sandbox, trainer_name="my-trainer", trust_remote_code=True)
    assert message == "ModelScope has no trainer 'my-trainer'"


def test_a_model_folder_without_a_configuration_is_an_error_that_knows_models_of_hugging_face(sandbox: Sandbox) -> None:
    (sandbox.folder / "model" / "configuration.json").unlink()
    (message,) = errors(sandbox)
    assert "has no configuration.json" in message
    (sandbox.folder / "model" / "config.json").write_text("{}")
    (message,) = errors(sandbox)
    assert "has no configuration.json" in message


@pytest.mark.parametrize("text", ["{not json", "[]"])
def test_a_configuration_that_cannot_be_used_is_an_error(sandbox: Sandbox, text: str) -> None:
    (sandbox.folder / "model" / "configuration.json").write_text(text)
    (message,) = errors(sandbox)
    assert "configuration.json" in message


def test_a_model_folder_without_weights_is_an_error(sandbox: Sandbox) -> None:
    (sandbox.folder / "model" / "pytorch_model.bin").unlink()
    (message,) = errors(sandbox)
    assert "has no weights" in message


def test_half_a_model_where_a_training_of_this_run_may_write_a_whole_one_is_a_warning_only(sandbox: Sandbox) -> None:
    (sandbox.folder / "earlier" / "output").mkdir(parents=True)
    (message,) = warnings(sandbox, model_name="./earlier/output")
    assert "as it is now" in message


def test_a_model_folder_that_is_not_there_is_an_error(sandbox: Sandbox) -> None:
    (message,) = errors(sandbox, model_name="./modell")
    assert "./modell" in message


def test_a_training_that_would_remove_its_own_model_is_an_error(sandbox: Sandbox) -> None:
    write_model(sandbox.work_dir / "output")
    (sandbox.work_dir / leavings.BEGUN).touch()
    (message,) = errors(sandbox, model_name="./training/output")
    assert "which the training empties" in message


def test_a_folder_with_the_outputs_of_somebody_else_is_not_trained_in(sandbox: Sandbox) -> None:
    (sandbox.folder / "mine" / "output").mkdir(parents=True)
    (sandbox.folder / "mine" / "notes.log").touch()
    (message,) = errors(sandbox, work_dir="./mine")
    assert "the folder mine has notes.log, output, which a training would remove" in message
    (sandbox.folder / "mine" / leavings.BEGUN).touch()
    assert errors(sandbox, work_dir="./mine") == []


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ({"max_epochs": "three"}, "'train.max_epochs' must be a whole number from 1 on, not 'three'"),
        ({"max_epochs": 0}, "from 1 on, not 0"),
        ({"max_epochs": 1, "dataloader.batch_size_per_gpu": 2.5}, "'train.dataloader.batch_size_per_gpu' must be a whole"),
        ({"max_epochs": 1, "optimizer": {"lr": "0,1"}}, "'train.optimizer.lr' must be a number, not '0,1'"),
    ],
)
def test_numbers_that_are_none_are_found_before_the_training(sandbox: Sandbox, train: dict[str, Any], told: str) -> None:
    (message,) = errors(sandbox, train=train)
    assert told in message


def test_keys_with_dots_are_taken_as_modelscope_takes_them(sandbox: Sandbox) -> None:
    assert errors(sandbox, **{"train": ..., "train.max_epochs": 2}) == []
    assert errors(sandbox, **{"train": {"max_epochs": 1}, "train.optimizer.lr": 0.1, "evaluation.metrics": "none"}) == []
    (message,) = errors(sandbox, **{"train.max_epochs": "two", "train": ...})
    assert "'train.max_epochs' must be a whole number" in message
    (message,) = errors(sandbox, **{"train.max_epochs": 2})
    assert "'train.max_epochs' is there twice" in message
    (message,) = errors(sandbox, **{"task.name": "x"})
    assert "unknown key 'task.name'" in message


@pytest.mark.parametrize(
    ("given", "is_fine"), [("gpu", True), ("cuda", True), ("cuda:0", True), ("gpu:1", True), ("tpu", False)]
)
def test_a_gpu_may_be_called_as_modelscope_or_torch_call_it(sandbox: Sandbox, given: str, is_fine: bool) -> None:
    assert (errors(sandbox, device=given) == []) == is_fine


@pytest.mark.parametrize("missing", ["dataloader", "optimizer", "lr_scheduler"])
def test_what_neither_job_nor_model_say_of_the_training_is_named(sandbox: Sandbox, missing: str) -> None:
    train = {key: value for key, value in configuration()["train"].items() if key != missing}
    write_model(sandbox.folder / "model", train=train)
    found = errors(sandbox)
    assert found
    assert all(f"train.{missing}" in message for message in found)
    assert errors(sandbox, train={"max_epochs": 1, missing: configuration()["train"][missing]}) == []


def test_the_number_of_epochs_has_to_be_said(sandbox: Sandbox) -> None:
    (message,) = errors(sandbox, train={})
    assert "train.max_epochs" in message


def test_a_token_has_no_place_in_a_config(sandbox: Sandbox) -> None:
    period = {"push_to_hub": True, "hub_repo_id": "me/mine", "hub_token": "secret-of-mine"}
    for train in ({"checkpoint": {"period": period}}, {"hooks": [{"type": "CheckpointHook", **period}]}):
        (message,) = errors(sandbox, train={"max_epochs": 1, **train})
        assert "readable by others" in message
        assert "secret-of-mine" not in message


def test_the_model_cannot_be_written_elsewhere_than_where_it_is_looked_for(sandbox: Sandbox) -> None:
    (message,) = errors(sandbox, train={"max_epochs": 1, "checkpoint": {"period": {"output_sub_dir": "mine"}}})
    assert "'output_sub_dir'" in message
    hooks = [{"type": "BestCkptSaverHook", "save_dir": "./mine", "metric_key": "accuracy"}]
    (message,) = errors(sandbox, eval_dataset="./rows.jsonl", train={"max_epochs": 1, "hooks": hooks})
    assert "'save_dir'" in message


@pytest.mark.parametrize(
    ("remapping", "told"),
    [
        ({"txt": "text"}, None),  # the rows have 'text' already
        ({"txt": "sentence"}, "renames 'txt', but the rows of ./rows.jsonl have no such key: they have text, label"),
        ({"label": "text"}, "have both"),
        ({"text": "sentence"}, "reads the key 'text' (its preprocessor's first_sequence)"),
    ],
)
def test_a_wrong_key_remapping_is_named_with_the_keys_that_there_are(
    sandbox: Sandbox, remapping: dict[str, str], told: str | None
) -> None:
    found = warnings(sandbox, key_remapping=remapping)
    assert len(found) == (told is not None)
    assert all(str(told) in message for message in found)


def test_the_preprocessor_of_the_job_says_which_keys_are_read(sandbox: Sandbox) -> None:
    assert warnings(sandbox, key_remapping={"text": "sentence"}, preprocessor={"first_sequence": "sentence"}) == []


@pytest.mark.parametrize(
    ("text", "told"), [("", "no rows"), ("{broken\n", "rows.jsonl:1: not a JSON object"), ("7\n", "a int")]
)
def test_data_that_cannot_be_read_is_told_with_its_line(sandbox: Sandbox, text: str, told: str) -> None:
    (sandbox.folder / "rows.jsonl").write_text(text)
    (message,) = warnings(sandbox)
    assert told in message


def test_a_hub_model_that_is_not_in_the_cache_is_a_warning_that_names_the_cache(sandbox: Sandbox) -> None:
    (message,) = warnings(sandbox, model_name="iic/nlp_gpt3_text-generation_chinese-base")
    assert "will be downloaded" in message
    assert str(sandbox.folder / "cache") in message


@pytest.mark.parametrize("place", ["models/iic--some.bert/snapshots/master", "models/iic/some___bert", "hub/iic/some.bert"])
def test_a_hub_model_in_the_cache_is_fine_wherever_releases_of_modelscope_put_it(sandbox: Sandbox, place: str) -> None:
    write_model(sandbox.folder / "cache" / place)
    assert warnings(sandbox, model_name="iic/some.bert") == []


def test_a_relative_path_of_two_parts_that_is_there_is_no_hubs_name(sandbox: Sandbox) -> None:
    write_model(sandbox.folder / "models" / "mine")
    assert warnings(sandbox, model_name="models/mine") == []


def test_datasets_of_the_hub_are_told_apart_from_paths(sandbox: Sandbox) -> None:
    for named in ("owner/clue", {"dataset_name": "clue", "subset_name": "afqmc", "split": "train"}):
        (message,) = warnings(sandbox, train_dataset=named)
        assert "dataset of ModelScope's hub" in message
    (message,) = errors(sandbox, train_dataset="pools/rows.jsonl")
    assert "pools/rows.jsonl" in message
    (message,) = errors(sandbox, train_dataset={"dataset_nam": "clue"})
    assert "named by 'dataset_name'" in message
    (message,) = errors(sandbox, model_name={"name": "clue"})
    assert "owner/name" in message


def test_data_that_an_earlier_job_writes_is_not_looked_for(sandbox: Sandbox) -> None:
    folder = sandbox.folder / "later.py"
    folder.write_text(
        "from djsandbox import BaseDataPoolManipulator, ComponentConfig, OutputPath\n\n\n"
        "class Later(BaseDataPoolManipulator):\n"
        "    class Config(ComponentConfig):\n        export_path: OutputPath\n\n"
        "    def run(self):\n        return self.config.export_path\n"
    )
    block = {"type": "./later.py:Later", "export_path": "./pools/later.jsonl"}
    sandbox.more_jobs = {"probe_job_configs": [{"hook": "DataPoolManipulationHook", "extra_configs": block}]}
    assert warnings(sandbox, train_dataset="./pools/later.jsonl") == []


@pytest.mark.parametrize("key", ["train_dataset", "work_dir", "model_name"])
def test_keys_that_are_needed_are_missed(sandbox: Sandbox, key: str) -> None:
    assert any(key in message for message in errors(sandbox, **{key: ...}))


def test_an_unknown_key_is_refused(sandbox: Sandbox) -> None:
    assert any("key_remaping" in message for message in errors(sandbox, key_remaping={}))


def test_the_inference_looks_at_its_model_as_well(sandbox: Sandbox) -> None:
    (sandbox.folder / "model" / "configuration.json").unlink()
    write_rows(sandbox.folder / "other.jsonl", {"text": "a"})
    block = {"type": "modelscope", "task": "text-classification", "model": "./model"}
    job = {"hook": "ProbeViaModelInferHook", "dj_configs": {"dataset_path": "./other.jsonl"}, "extra_configs": block}
    sandbox.more_jobs = {"execution_job_configs": [job]}
    (message,) = errors(sandbox)
    assert "has no configuration.json" in message


def test_arguments_of_the_pipeline_that_are_keys_of_their_own_are_refused(sandbox: Sandbox) -> None:
    block = {"type": "modelscope", "task": "t", "model": "./model", "pipeline_params": {"device": "cpu"}}
    job = {"hook": "ProbeViaModelInferHook", "dj_configs": {"dataset_path": "./rows.jsonl"}, "extra_configs": block}
    sandbox.more_jobs = {"execution_job_configs": [job]}
    assert any("'device' is a key of its own" in message for message in errors(sandbox))


def test_the_best_model_is_planned_where_the_job_asks_for_it(sandbox: Sandbox) -> None:
    from djsandbox_modelscope.trainer import ModelscopeTrainExecutor

    config = {key: value for key, value in sandbox.block.items() if key != "type"}
    plain = ModelscopeTrainExecutor(ModelscopeTrainExecutor.Config(**config))
    assert plain.planned_outputs() == ("./training/output", "./training")
    best = {**config, "train": {"checkpoint": {"best": {"metric_key": "accuracy"}}}, "eval_dataset": "./rows.jsonl"}
    assert ModelscopeTrainExecutor(ModelscopeTrainExecutor.Config(**best)).planned_outputs()[0] == "./training/output_best"
