"""The tables that set data pools beside a baseline."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ComponentError
from djsandbox_internvl.comparison import COCOCaptionComparison as Comparison

POOLS = ["out/words/coco_words_0.jsonl", "out/words/coco_words_1.jsonl", "out/words/coco_words_2.jsonl"]


def scores(average: float) -> dict[str, float]:
    return {"Bleu_4": average / 2, "CIDEr": average * 2, "avg_score": average}


def run(**config: Any) -> list[dict[str, Any]]:
    return Comparison(Comparison.Config.model_validate({"dataset_path": POOLS, **config})).run()


def test_pools_and_baseline_are_ranked_together_with_the_change_in_percent_of_the_baseline() -> None:
    lines = run(scores={"1B": [scores(0.45), scores(0.6), scores(0.5)]}, baseline={"1B": [scores(0.5)]})
    assert [(line["rank"], line["data_pool"], line["change %"]) for line in lines] == [
        (1, "coco_words_1", 20.0),
        (2, "baseline", 0.0),
        (3, "coco_words_2", 0.0),
        (4, "coco_words_0", -10.0),
    ]
    assert lines[0]["model"] == "1B" and lines[0]["CIDEr"] == 1.2


def test_each_model_is_compared_with_its_own_baseline() -> None:
    lines = run(
        scores={"1B": [scores(0.2), scores(0.1), scores(0.1)], "8B": [scores(0.4), scores(0.6), scores(0.4)]},
        baseline={"1B": [scores(0.1)], "8B": scores(0.5)},
    )
    best = {line["model"]: (line["data_pool"], line["change %"]) for line in lines if line["rank"] == 1}
    assert best == {"1B": ("coco_words_0", 100.0), "8B": ("coco_words_1", 20.0)}


def test_without_a_baseline_nothing_is_said_of_changes() -> None:
    lines = run(scores={"1B": [scores(0.1), scores(0.2), scores(0.3)]})
    assert [line["change %"] for line in lines] == [None] * 3 and lines[0]["data_pool"] == "coco_words_2"


def test_another_score_may_decide() -> None:
    listed = [{"CIDEr": 1.0, "avg_score": 0.1}, {"CIDEr": 0.5, "avg_score": 0.2}, {"CIDEr": 2.0, "avg_score": 0.0}]
    lines = run(scores={"1B": listed}, baseline={"1B": {"CIDEr": 1.0, "avg_score": 9.0}}, metric="CIDEr")
    assert lines[0]["data_pool"] == "coco_words_2" and lines[0]["change %"] == 100.0


def test_a_score_that_is_no_number_ranks_last_and_a_baseline_of_0_gives_no_percentage() -> None:
    lines = run(scores={"1B": [scores(math.nan), scores(0.2), scores(0.1)]}, baseline={"1B": scores(0.0)})
    assert lines[-1]["data_pool"] == "coco_words_0" and {line["change %"] for line in lines} == {None}


def test_all_scores_are_written_as_csv(tmp_path: Path) -> None:
    target = tmp_path / "tables" / "words.csv"
    lines = run(scores={"1B": [scores(0.1), scores(0.2), scores(0.3)]}, baseline={"1B": scores(0.1)}, export_path=str(target))
    with target.open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [line["data_pool"] for line in written] == [line["data_pool"] for line in lines]
    assert float(written[0]["avg_score"]) == 0.3 and float(written[0]["change %"]) == 200.0
    assert list(written[0]) == ["model", "data_pool", "rank", "Bleu_4", "CIDEr", "avg_score", "change %"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"scores": {"1B": [scores(0.1)]}}, "3 data pools but 1 score of 1B"),
        ({"scores": {"1B": [scores(0.1)] * 3}, "metric": "SPICE"}, "have no 'SPICE'.*metric can be: Bleu_4, CIDEr, avg_score"),
    ],
)
def test_what_cannot_be_compared_is_said(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ComponentError, match=f"(?s){said}"):
        run(**config)


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    """A sandbox config that compares; returns its path."""

    def write(**keys: Any) -> str:
        pools = [str(tmp_path / f"pool_{at}.jsonl") for at in range(2)]
        own = {"type": "coco_caption_comparison", "dataset_path": pools, "scores": {"1B": [scores(0.1), scores(0.2)]}, **keys}
        jobs = [{"hook": "GeneralProbeHook", "meta_name": "compare", "output": "table", "extra_configs": own}]
        config = {"project_name": "x", "work_dir": str(tmp_path / "work"), "probe_job_configs": jobs}
        path = tmp_path / "sandbox.json"
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"scores": {"1B": [scores(0.1)]}}, "2 data pools but 1 score of 1B"),
        ({"baseline": {"8B": [scores(0.1)]}}, "no scores of 8B to compare the baseline with"),
        ({"scores": {}}, "scores"),
        ({"baseline": {"1B": [scores(0.1), scores(0.2)]}}, "baseline.1B"),
    ],
)
def test_what_is_wrong_is_found_before_the_run(keys: dict[str, Any], said: str, compare: Any) -> None:
    with pytest.raises(djsandbox.ConfigError, match=rf"sandbox\.json:\d+: .*{said}"):
        djsandbox.validate(compare(**keys))


def test_it_runs_and_its_table_is_recorded(compare: Any) -> None:
    (job,) = djsandbox.run(compare(baseline={"1B": scores(0.1)})).context["anonymous"]
    assert [line["data_pool"] for line in job["table"]] == ["pool_1", "baseline", "pool_0"]
