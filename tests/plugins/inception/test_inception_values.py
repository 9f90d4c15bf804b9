"""From features to values, and from values to outputs, lines and tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from djsandbox.errors import ComponentError
from djsandbox_inception import report
from djsandbox_inception.config import InceptionConfig
from djsandbox_inception.metrics import METRICS
from djsandbox_inception.worker.computing import summary, values_of
from djsandbox_inception.worker.features import FeatureMaker
from djsandbox_inception.worker.order import DetectorOrder, Order, Side, Video
from djsandbox_inception.worker.problems import Unfit
from djsandbox_inception.worker.store import FeatureStore


def computed(name: str, fake: Any, real: Any = None, weights: Any = None) -> tuple[float, ...]:
    metric = METRICS[name]
    return values_of(metric.computation, metric.options, fake, real, weights, np.random.default_rng(0))


def rows(count: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def result(metric: str, value: float = 1.5, drawn: int = 2048, distinct: int = 2048, skipped: int = 0) -> dict[str, Any]:
    counts = {"videos": 9, "skipped": skipped, "drawn": drawn, "distinct": distinct}
    values = dict.fromkeys(METRICS[metric].keys, value)
    return {"metric": metric, "results": values, "total_time": 61.2, "samples": {"fake": counts, "real": counts}, "computed": 4}


def config(**changes: Any) -> InceptionConfig:
    return InceptionConfig(**{"fake_data_path": "fake.jsonl", "real_data_path": "real.jsonl", **changes})


@pytest.mark.parametrize(
    ("metric", "fake", "real", "said"),
    [
        ("isv2048_ucf", 9, 9, "9 generated samples are too few: 10 are needed"),
        ("is50k", 9, 9, "9 generated samples are too few: 10 are needed"),
        ("pr50k_3n", 4, 3, "3 real samples are too few: 4 are needed"),
        ("prv2048_3n_16f", 3, 4, "3 generated samples are too few: 4 are needed"),
        ("kid50k", 1, 5, "1 generated samples are too few: 2 are needed"),
        ("fvd2048_16f", 5, 1, "1 real samples are too few: 2 are needed"),
    ],
)
def test_too_few_samples_are_said_to_be_too_few(metric: str, fake: int, real: int, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        computed(metric, rows(fake), rows(real))


def test_features_are_no_probabilities() -> None:
    with pytest.raises(Unfit, match="gave no probabilities"):
        computed("is50k", rows(20))
    assert computed("is50k", np.full((20, 2), 0.5)) == pytest.approx((1, 0))


def test_the_parts_of_a_score_are_drawn_by_chance_and_not_in_the_order_of_the_clips() -> None:
    rounds = np.tile(np.eye(10), (10, 1))  # ten videos, of which each round draws each once
    mean, deviation = computed("isv2048_ucf", rounds)
    assert mean < 9 and deviation > 0.3  # in their order each part would have all ten


def test_the_fid_weighs_frames_by_their_videos_and_the_fvd_does_not_weigh() -> None:
    fake, real = rows(6), rows(8, seed=1)
    weights = np.array([3, 1, 1, 1, 1, 1]), np.ones(8)
    assert computed("fid50k", fake, real, weights) == pytest.approx(computed("fid50k", fake[[0, 0, 0, 1, 2, 3, 4, 5]], real))
    assert computed("fvd2048_16f", fake, real, weights) == computed("fvd2048_16f", fake, real)


def test_the_kid_is_told_in_thousandths_and_the_kvd_is_not() -> None:
    fake, real = rows(12), rows(12, seed=1)
    assert computed("kid50k", fake, real)[0] == pytest.approx(1000 * computed("kvd2048_16f", fake, real)[0])


def test_one_run_gives_plain_keys_and_more_give_each_run_its_own() -> None:
    assert summary(("a", "b"), [(1.0, 2.0)]) == {"a": 1, "b": 2}
    assert summary(("a",), [(1.0,), (3.0,)]) == {"a_run01": 1, "a_run02": 3, "a_mean": 2, "a_std": 1}
    assert set(summary(METRICS["is50k"].keys, [(1.0, 2.0)] * 3)) == set(METRICS["is50k"].result_keys(3))


def test_a_result_without_one_of_its_values_is_none() -> None:
    good = result("is50k")
    assert report.checked(good, METRICS["is50k"], 1) is good
    for bad in (result("kid50k"), result("is50k", float("nan"))):
        with pytest.raises((KeyError, ValueError)):
            report.checked(bad, METRICS["is50k"], 1)


def test_the_output_has_the_shape_of_the_existing_sandbox() -> None:
    assert report.outputs(config(), [result("fvd2048_16f")]) == {
        "results": {"fvd2048_16f": 1.5},
        "metric": "fvd2048_16f",
        "total_time": 61.2,
        "total_time_str": "1m 01s",
        "world_size": 1,
    }


def test_a_line_is_added_for_each_metric_and_what_is_gathered_again_is_not_added_again(tmp_path: Path) -> None:
    target = tmp_path / "results.jsonl"
    target.write_text('{"metric": "by hand"}')
    for _ in range(2):
        report.write(config(metric=["fid50k", "kid50k"]), [result("fid50k", 1), result("kid50k", 2)], target)
    report.write(config(metric="fid50k"), [result("fid50k", 3)], target)
    report.write(config(metric="fid50k", fake_data_path="other.jsonl"), [result("fid50k", 3)], target)
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(line["metric"], *line.get("results", {}).values()) for line in lines] == [
        ("by hand",),
        ("fid50k", 1),
        ("kid50k", 2),
        ("fid50k", 3),
        ("fid50k", 3),
    ]
    assert {"num_runs", "real_data_path", "fake_data_path", "results", "total_time", "world_size"} <= lines[-1].keys()


def test_a_file_that_is_no_file_of_results_is_left_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "notes.txt"
    target.write_text("my notes\n")
    with pytest.raises(ComponentError, match=r"notes\.txt:1 is no JSON"):
        report.write(config(), [result("fvd2048_16f")], target)
    assert target.read_text() == "my notes\n"


def test_the_table_says_how_many_samples_a_value_is_over() -> None:
    _, _, table, notes = report.table(config(), [result("fvd2048_16f", distinct=25, skipped=2)])
    assert table == [["fvd2048_16f", "1.5000", "2048 of 9 videos (25 different)", "2048 of 9 videos (25 different)"]]
    assert notes[0] == "fvd2048_16f: only 25 generated and 25 real clips, not 2048: comparable only with values over as many."
    assert "fvd2048_16f: 2 real videos are shorter than a clip and were left out." in notes
    assert report.table(config(), [result("fvd2048_16f")])[3] == []
    assert report.table(config(), [result("kvd2048_16f", drawn=25, distinct=25)])[2][0][2] == "25 of 9 videos"


def test_features_are_found_again_under_the_same_settings_only(tmp_path: Path) -> None:
    store = FeatureStore(str(tmp_path), {"detector": "d", "size": [1, 2]})
    with store.alone():
        store.keep("ab12", {5: np.array([1.0, 2.0]), 0: np.array([3.0, 4.0])})
    again = FeatureStore(str(tmp_path), {"size": [1, 2], "detector": "d"}).of("ab12")
    assert {start: row.tolist() for start, row in again.items()} == {0: [3, 4], 5: [1, 2]}
    assert FeatureStore(str(tmp_path), {"detector": "e", "size": [1, 2]}).of("ab12") == {}
    assert store.of("cd34") == {}


def order(**changes: Any) -> Order:
    detector = DetectorOrder("d.pt", {"return_features": True}, None, None)
    side = Side("generated", "fake.jsonl", (Video("v.mp4", 1),))
    numbers = {"samples": 9, "length": 16, "spacing": 1, "height": 4, "width": 5, "seed": 1, "runs": 1, "batch_size": 2}
    flags = {"skip_short": False, "replace_cache": False, "verbose": False}
    texts = {"metric": "m", "computation": "frechet", "device": "cpu", "cache": "c", "output": "o"}
    return replace(
        Order(keys=("m",), options={}, fake=side, real=None, detector=detector, **numbers, **flags, **texts), **changes
    )


@pytest.mark.parametrize(("length", "spacing", "span"), [(None, 1, 1), (16, 1, 16), (128, 1, 128), (16, 8, 121)])
def test_a_clip_reaches_from_its_first_frame_to_its_last(length: int | None, spacing: int, span: int) -> None:
    assert order(length=length, spacing=spacing).span == span


@pytest.mark.parametrize(
    "change",
    [
        {"height": 8},
        {"width": 8},
        {"length": 128},
        {"length": None},
        {"spacing": 8},
        {"detector": DetectorOrder("d.pt", {}, None, None)},
    ],
    ids=str,
)
def test_whatever_decides_a_feature_tells_it_from_others(change: dict[str, Any]) -> None:
    assert FeatureMaker(order(**change), "digest").store.folder != FeatureMaker(order(), "digest").store.folder
    assert FeatureMaker(order(), "other").store.folder != FeatureMaker(order(), "digest").store.folder


@pytest.mark.parametrize(
    "change", [{"metric": "n", "computation": "kernel"}, {"seed": 2}, {"batch_size": 9}, {"samples": 5}], ids=str
)
def test_metrics_seeds_and_batches_share_features(change: dict[str, Any]) -> None:
    assert FeatureMaker(order(**change), "digest").store.folder == FeatureMaker(order(), "digest").store.folder


def test_a_cache_that_cannot_be_written_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unfit, match=r"file/.* cannot be written \(Not a directory\): name another 'cache_path'"):
        FeatureStore(str(tmp_path / "file"), {}).alone().__enter__()


def test_half_written_features_count_as_none(tmp_path: Path) -> None:
    store = FeatureStore(str(tmp_path), {})
    with store.alone():
        store.keep("ab12", {0: np.array([1.0])})
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    for half in (b"", whole[:30], whole[:-10]):
        file.write_bytes(half)
        assert store.of("ab12") == {}
