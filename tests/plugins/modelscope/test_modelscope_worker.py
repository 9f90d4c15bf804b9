"""What the worker does before and after a training, with nothing but the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from djsandbox_modelscope.trainer import START
from djsandbox_modelscope.worker import configuration, leavings, rows
from djsandbox_modelscope.worker.faults import Fault

from .conftest import configuration as whole
from .conftest import write_model


def old(path: Path, content: bytes = b"old") -> Path:
    """A file of yesterday."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - 86_400,) * 2)
    return path


def test_what_an_earlier_training_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("1.log", "1.log.json", "epoch_5.pth", "epoch_5_trainer_state.pth", "iter_9.pth", "output/pytorch_model.bin"):
        old(tmp_path / name)
    old(tmp_path / leavings.NOTE)
    kept = [old(tmp_path / name) for name in ("notes.txt", "data/rows.jsonl", "journal.jsonl")]
    leavings.clear(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted([*kept, tmp_path / leavings.BEGUN])


def test_what_no_training_of_ours_left_is_not_removed(tmp_path: Path) -> None:
    mine = [old(tmp_path / name) for name in ("build.log", "output/thesis.bin")]
    with pytest.raises(Fault, match=r"has build\.log, output, which a training would remove"):
        leavings.clear(tmp_path)
    assert all(path.is_file() for path in mine)


def test_a_link_in_the_folder_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    elsewhere = old(tmp_path / "elsewhere" / "pytorch_model.bin")
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / leavings.BEGUN).touch()
    (tmp_path / "training" / "output").symlink_to(elsewhere.parent)
    leavings.clear(tmp_path / "training")
    assert elsewhere.is_file()
    assert not (tmp_path / "training" / "output").exists()


def test_a_model_whose_weights_are_older_than_the_training_is_none(tmp_path: Path) -> None:
    write_model(tmp_path / "output")
    old(tmp_path / "output" / "pytorch_model.bin")
    with pytest.raises(Fault, match="wrote no weights"):
        leavings.deployable(tmp_path, "output", time.time())


def test_a_training_without_a_model_has_failed(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="there is no model"):
        leavings.deployable(tmp_path, "output", time.time())


def test_weights_from_before_the_training_are_removed_beside_the_trained_ones(tmp_path: Path) -> None:
    began = time.time()
    folder = write_model(tmp_path / "output")
    old(folder / "model.safetensors")
    assert leavings.deployable(tmp_path, "output", began) == folder
    assert not (folder / "model.safetensors").exists()
    (folder / "pytorch_model.bin").rename(folder / "model.safetensors")  # where there is nothing else, it is the model
    leavings.deployable(tmp_path, "output", began)
    assert (folder / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, {"first_sequence": "text", "label": "label"}),
        (
            {"preprocessor": {"first_sequence": "a", "second_sequence": "b"}},
            {"first_sequence": "a", "second_sequence": "b", "label": "label"},
        ),
        ({"dataset": {"train": {"first_sequence": "c"}}}, {"first_sequence": "c", "label": "label"}),
        ({"preprocessor.first_sequence": "d"}, {"first_sequence": "d", "label": "label"}),
    ],
)
def test_the_columns_that_a_model_reads_are_told_from_its_configuration(
    changes: dict[str, object], wanted: dict[str, str]
) -> None:
    assert configuration.wanted_columns(whole(), changes) == wanted


def test_rows_that_lack_what_the_model_reads_are_told_by_their_keys_as_they_are_renamed() -> None:
    with pytest.raises(Fault, match=r"reads the key 'text'.* after key_remapping: label, sentence") as told:
        rows.check_columns("a.jsonl", ["text", "label"], {"text": "sentence"}, {"first_sequence": "text", "label": "label"})
    assert "set 'preprocessor: {first_sequence: ...}'" in told.value.fix


def test_a_text_generation_model_reads_src_txt_unless_told_otherwise() -> None:
    base = {"preprocessor": {"type": "text-gen-tokenizer"}}
    assert configuration.wanted_columns(base, {}) == {"src_txt": "src_txt"}
    assert configuration.wanted_columns(base, {"preprocessor": {"src_txt": "text"}}) == {"src_txt": "text"}


def test_what_cannot_be_told_is_not_claimed() -> None:
    assert configuration.wanted_columns({}, {}) == {}
    assert configuration.labels({}, {}) is None


def test_the_labels_that_a_model_knows_are_those_of_the_job_where_it_names_them() -> None:
    assert configuration.labels(whole(), {}) == {"negative", "positive"}
    assert configuration.labels(whole(), {"dataset": {"train": {"labels": [0, 1, 2]}}}) == {"0", "1", "2"}


def test_the_first_row_of_a_file_of_another_kind_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n")
    assert rows.first_row(str(tmp_path / "rows.csv")) is None
    assert rows.first_row(str(tmp_path / "nothing.jsonl")) is None


def test_the_worker_needs_nothing_of_ours_and_tells_faults_without_a_traceback(tmp_path: Path) -> None:
    order = tmp_path / "train.json"
    write_model(tmp_path / "model", task=...)
    order.write_text(
        '{"model": "%s", "model_revision": null, "changes": {"train": {"max_epochs": 1}}}' % (tmp_path / "model"),
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, "-S", "-E", START, "train", order], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "ERROR: the model's configuration.json lacks 'task'\n    add it there\n"
