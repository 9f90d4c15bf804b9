from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from djsandbox import DECIDED_AT_RUN, ComponentError
from djsandbox_pools.downsampling import DataPoolDownsampling
from djsandbox_pools.duplication import DataPoolDuplication
from pydantic import ValidationError

ODD_ROW = '{"id":0,"f":0.12345678901234567,"day":"2024-01-31T00:00:00Z","images":["img/1.jpg"], "e": 1e-7}'


def _duplication(sources: Any, export: Path, times: Any, **settings: Any) -> DataPoolDuplication:
    config = DataPoolDuplication.Config(dataset_path=sources, export_path=str(export), duplicating_times=times, **settings)
    return DataPoolDuplication(config)


def _downsampling(sources: Any, export: Path, **settings: Any) -> DataPoolDownsampling:
    return DataPoolDownsampling(DataPoolDownsampling.Config(dataset_path=sources, export_path=str(export), **settings))


def _rows(count: int) -> list[dict[str, int]]:
    return [{"id": number} for number in range(count)]


def test_every_pool_is_repeated_each_number_of_times(pool, ids, tmp_path: Path) -> None:
    sources = [pool("a.jsonl", _rows(2)), pool("b.jsonl", _rows(1))]
    paths = _duplication(sources, tmp_path / "out", [1, 3]).run()
    assert [Path(path).name for path in paths] == ["a_x1.jsonl", "a_x3.jsonl", "b_x1.jsonl", "b_x3.jsonl"]
    assert [ids(path) for path in paths] == [[0, 1], [0, 1, 0, 1, 0, 1], [0], [0, 0, 0]]


def test_shuffled_duplicates_are_the_seeded_permutation_of_the_repeated_rows(pool, ids, tmp_path: Path) -> None:
    source = pool("a.jsonl", _rows(10))
    [default] = _duplication(source, tmp_path / "default", 2, shuffle=True).run()
    [other] = _duplication(source, tmp_path / "other", 2, shuffle=True, seed=7).run()
    assert ids(default) == [index % 10 for index in np.random.default_rng(42).permutation(20)]
    assert ids(other) == [index % 10 for index in np.random.default_rng(7).permutation(20)]
    assert Counter(ids(other)) == dict.fromkeys(range(10), 2)


def test_duplicated_and_sampled_rows_are_byte_identical(pool, lines, tmp_path: Path) -> None:
    source = pool("a.jsonl", [ODD_ROW])
    [doubled] = _duplication(source, tmp_path / "out", 2, shuffle=True).run()
    [sampled] = _downsampling(source, tmp_path / "out").run()
    assert lines(doubled) == [ODD_ROW, ODD_ROW] and lines(sampled) == [ODD_ROW]


@pytest.mark.parametrize("times", [[], [0], [-1], [1.5], ["2"], [True], [2, 2]])
def test_times_that_are_no_distinct_positive_whole_numbers_are_refused(times: list[Any]) -> None:
    with pytest.raises(ValidationError):
        DataPoolDuplication.Config(dataset_path="a.jsonl", export_path="out", duplicating_times=times)


def test_pools_are_sampled_down_to_the_smallest(pool, ids, tmp_path: Path) -> None:
    sources = [pool("big.jsonl", _rows(20)), pool("small.jsonl", _rows(4))]
    paths = _downsampling(sources, tmp_path / "out").run()
    assert [Path(path).name for path in paths] == ["big_4.jsonl", "small_4.jsonl"]
    assert ids(paths[0]) == np.random.default_rng(42).permutation(20)[:4].tolist()
    assert sorted(ids(paths[1])) == [0, 1, 2, 3]


def test_target_num_samples_decides_the_size_and_a_smaller_pool_is_taken_whole(pool, ids, tmp_path: Path, caplog) -> None:
    sources = [pool("big.jsonl", _rows(20)), pool("small.jsonl", _rows(3))]
    paths = _downsampling(sources, tmp_path / "out", target_num_samples=5).run()
    assert [Path(path).name for path in paths] == ["big_5.jsonl", "small_5.jsonl"]
    assert [len(ids(path)) for path in paths] == [5, 3]
    assert "small.jsonl has 3 rows, fewer than the 5 asked for" in caplog.text


def test_seed_is_another_spelling_of_shuffle_seed(pool, ids, tmp_path: Path) -> None:
    source = pool("a.jsonl", _rows(20))
    [one] = _downsampling(source, tmp_path / "one", target_num_samples=5, seed=3).run()
    [other] = _downsampling(source, tmp_path / "other", target_num_samples=5, shuffle_seed=3).run()
    assert ids(one) == ids(other) == np.random.default_rng(3).permutation(20)[:5].tolist()


def test_both_spellings_of_the_seed_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="seed"):
        DataPoolDownsampling.Config(dataset_path="a.jsonl", export_path="out", seed=1, shuffle_seed=2)


def test_both_spellings_of_the_seed_make_one_content_key() -> None:
    spelled = [{"seed": 5}, {"shuffle_seed": 5}]
    configs = [DataPoolDownsampling.Config(dataset_path="a.jsonl", export_path="out", **seed) for seed in spelled]
    one, other = (DataPoolDownsampling(config).key_fields() for config in configs)
    assert one == other and one["shuffle_seed"] == 5


def test_equal_names_in_two_folders_give_two_pools(pool, ids, tmp_path: Path) -> None:
    sources = [pool("x/pool.jsonl", [{"id": "x"}]), pool("y/pool.jsonl", [{"id": "y"}])]
    doubled = _duplication(sources, tmp_path / "out", 2).run()
    sampled = _downsampling(sources, tmp_path / "out").run()
    assert [Path(path).name for path in doubled] == ["x_pool_x2.jsonl", "y_pool_x2.jsonl"]
    assert [Path(path).name for path in sampled] == ["x_pool_1.jsonl", "y_pool_1.jsonl"]
    assert [ids(path) for path in [*doubled, *sampled]] == [["x", "x"], ["y", "y"], ["x"], ["y"]]


def test_an_input_is_never_overwritten_by_an_output(pool, lines, tmp_path: Path) -> None:
    sources = [pool("a.jsonl", _rows(1)), pool("a_x2.jsonl", [{"id": "mine"}])]
    with pytest.raises(ComponentError, match=r"a_x2\.jsonl is read by this job"):
        _duplication(sources, tmp_path, [2]).run()
    assert lines(sources[1]) == ['{"id": "mine"}']


@pytest.mark.parametrize("make", [_downsampling, lambda sources, export: _duplication(sources, export, 2)])
def test_missing_and_empty_pools_stop_the_job_before_it_writes(make, pool, tmp_path: Path) -> None:
    good = pool("a.jsonl", _rows(3))
    with pytest.raises(ComponentError, match=r"absent\.jsonl does not exist"):
        make([good, str(tmp_path / "absent.jsonl")], tmp_path / "out").run()
    with pytest.raises(ComponentError, match=r"empty\.jsonl has no rows"):
        make([good, pool("empty.jsonl", [])], tmp_path / "out").run()
    assert not (tmp_path / "out").exists()


def test_what_the_config_decides_is_planned_as_it_will_be(pool, tmp_path: Path) -> None:
    source = pool("a.jsonl", _rows(4))
    duplication = _duplication(source, tmp_path / "out", [2, 3])
    downsampling = _downsampling(source, tmp_path / "out", target_num_samples=2)
    assert duplication.planned_outputs() == duplication.run()
    assert downsampling.planned_outputs() == downsampling.run()
    assert _downsampling(source, tmp_path / "out").planned_outputs() is DECIDED_AT_RUN
