"""Which checkpoint is the result, and which is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from djsandbox import ComponentError
from djsandbox_trinity.checkpoints import last_checkpoint
from djsandbox_trinity.testing.making import write_weights


def checkpoint(job: Path, step: int, *, is_full: bool = True, weights: bool = True, finished: bool = True) -> Path:
    folder = job / f"global_step_{step}"
    model = folder / "actor" / "huggingface"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    if is_full:
        (folder / ".full_checkpoint").touch()
    if weights:
        write_weights(model / "model.safetensors", step)
    if finished:
        (job / "latest_checkpointed_iteration.txt").write_text(str(step))
    return model


def test_the_highest_step_counts_by_number(tmp_path):
    checkpoint(tmp_path, 10)
    model = checkpoint(tmp_path, 9)
    (tmp_path / "latest_checkpointed_iteration.txt").write_text("10")
    assert last_checkpoint(tmp_path, wants_weights=True) == (10, model.parents[2] / "global_step_10" / "actor" / "huggingface")


def test_weights_that_are_only_handed_to_the_explorer_are_no_checkpoint(tmp_path):
    checkpoint(tmp_path, 4)
    checkpoint(tmp_path, 5, is_full=False, finished=False)
    assert last_checkpoint(tmp_path, wants_weights=True)[0] == 4


def test_a_checkpoint_that_was_not_finished_is_none(tmp_path):
    checkpoint(tmp_path, 4)
    checkpoint(tmp_path, 5, finished=False)
    with pytest.raises(ComponentError, match="was begun and not finished"):
        last_checkpoint(tmp_path, wants_weights=True)


def test_a_config_without_weights_is_no_model(tmp_path):
    checkpoint(tmp_path, 4, weights=False)
    with pytest.raises(ComponentError, match="it has no weights"):
        last_checkpoint(tmp_path, wants_weights=True)
    assert last_checkpoint(tmp_path, wants_weights=False) == (4, tmp_path / "global_step_4")


def test_all_shards_that_an_index_lists_must_be_there(tmp_path):
    model = checkpoint(tmp_path, 4, weights=False)
    write_weights(model / "model-00001-of-00002.safetensors", 0)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ComponentError, match="model-00002-of-00002"):
        last_checkpoint(tmp_path, wants_weights=True)
    write_weights(model / "model-00002-of-00002.safetensors", 0)
    assert last_checkpoint(tmp_path, wants_weights=True) == (4, model)


def test_an_empty_file_holds_no_weights(tmp_path):
    model = checkpoint(tmp_path, 4, weights=False)
    (model / "model.safetensors").touch()
    with pytest.raises(ComponentError, match="has no content"):
        last_checkpoint(tmp_path, wants_weights=True)


def test_a_folder_with_nothing_in_it_has_no_checkpoint(tmp_path):
    with pytest.raises(ComponentError, match="wrote no checkpoint"):
        last_checkpoint(tmp_path, wants_weights=True)


def test_a_checkpoint_of_before_is_no_new_one(tmp_path):
    checkpoint(tmp_path, 4)
    with pytest.raises(ComponentError, match="no new checkpoint"):
        last_checkpoint(tmp_path, wants_weights=True, steps_before=frozenset({4}))
