"""What a model said of each sample: the file beside the samples, and the summary."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from djsandbox.errors import ComponentError
from djsandbox.jobs.sample_results import record, summary


def test_the_samples_are_written_untouched_with_their_results(tmp_path: Path) -> None:
    samples = [{"text": "词", "__dj__stats__": {"text_len": 1}}, {"text": "b", "at": datetime.date(2026, 1, 2)}]
    path = record(samples, [{"loss": np.float32(0.5)}, {"loss": np.array([1, 2])}], tmp_path / "job")
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == [
        {"text": "词", "__dj__stats__": {"text_len": 1}, "model_feedback": {"loss": 0.5}},
        {"text": "b", "at": "2026-01-02", "model_feedback": {"loss": [1, 2]}},
    ]


def test_what_is_no_json_is_an_error_that_names_the_sample_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"sample 2 .*complex is no value of JSON"):
        record([{"text": "a"}, {"text": "b"}], [1, 1j], tmp_path)
    assert not list(tmp_path.glob("*.jsonl"))


def test_each_number_of_the_results_has_its_distribution() -> None:
    results = [{"loss": loss, "predicted": "x", "of": {"right": loss < 3}} for loss in (1.0, 2.0, 3.0, 4.0, 5.0)]
    seen = summary(results)
    assert set(seen) == {"loss", "of"}
    assert seen["loss"] == {
        "count": 5, "mean": 3.0, "std": pytest.approx(2.5**0.5), "min": 1.0, "25%": 2.0, "50%": 3.0, "75%": 4.0, "max": 5.0,
    }  # fmt: skip
    assert seen["of"]["right"]["mean"] == pytest.approx(0.4)


def test_results_that_are_bare_numbers_have_one_distribution_and_texts_have_none() -> None:
    assert summary([0.25])["75%"] == 0.25
    assert summary([np.float64(1), float("nan"), 3])["mean"] == 2
    assert summary(["a", "b"]) == {}
