from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_pools.combination import DataPoolCombination


def _combination(sources: Any, export: Path) -> DataPoolCombination:
    return DataPoolCombination(DataPoolCombination.Config(dataset_path=sources, export_path=str(export)))


def _rows(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


def test_n_pools_make_every_combination_in_the_order_in_which_the_pools_join(pool, tmp_path: Path) -> None:
    sources = [pool(f"coco_{name}.jsonl", _rows(*range(start, 9))) for start, name in enumerate("abcd")]
    names = [Path(path).name for path in _combination(sources, tmp_path / "out").run()]
    ranks = ["0", "1", "2", "3", "0_1", "0_2", "1_2", "0_3", "1_3", "2_3", "0_1_2", "0_1_3", "0_2_3", "1_2_3", "0_1_2_3"]
    assert names == [f"coco__top_{rank}_num_{9 - int(rank[-1])}.jsonl" for rank in ranks]


def test_rows_stand_in_the_order_of_the_best_ranked_pool(pool, ids, tmp_path: Path) -> None:
    sources = [pool("a.jsonl", _rows(5, 1, 4, 2)), pool("b.jsonl", _rows(2, 4, 5)), pool("c.jsonl", _rows(4, 2, 3))]
    made = {Path(path).name: ids(path) for path in _combination(sources, tmp_path / "out").run()}
    assert made["default_prefix_top_0_1_num_3.jsonl"] == [5, 4, 2]
    assert made["default_prefix_top_1_2_num_2.jsonl"] == [2, 4]
    assert made["default_prefix_top_0_1_2_num_2.jsonl"] == [4, 2]


@pytest.mark.parametrize("seed", range(5))
def test_combinations_are_multiset_intersections(seed: int, pool, ids, tmp_path: Path) -> None:
    chance = random.Random(seed)
    contents = [chance.choices(range(12), k=chance.randint(5, 40)) for _ in range(4)]
    sources = [pool(f"p{rank}.jsonl", _rows(*content)) for rank, content in enumerate(contents)]
    made = {Path(path).name.split("_num_")[0]: Counter(ids(path)) for path in _combination(sources, tmp_path / "out").run()}
    for size in range(1, 5):
        for ranks in combinations(range(4), size):
            shared = Counter(contents[ranks[0]])
            for rank in ranks[1:]:
                shared &= Counter(contents[rank])
            assert made.get(f"p_top_{'_'.join(map(str, ranks))}", Counter()) == shared


def test_duplicate_rows_are_kept_as_often_as_all_pools_have_them(pool, ids, tmp_path: Path) -> None:
    sources = [pool("a.jsonl", _rows(7, 1, 7, 7)), pool("b.jsonl", _rows(7, 7, 2))]
    *_, both = _combination(sources, tmp_path / "out").run()
    assert both.endswith("_top_0_1_num_2.jsonl") and ids(both) == [7, 7]


def test_rows_with_relative_paths_in_two_folders_are_still_identical(pool, lines, tmp_path: Path) -> None:
    row = '{"images": ["img/1.jpg"], "score": 0.12345678901234, "day": "2024-02-03"}'
    sources = [pool("x/pool.jsonl", [row]), pool("y/pool.jsonl", [row])]
    *_, both = _combination(sources, tmp_path / "out").run()
    assert Path(both).name == "pool_top_0_1_num_1.jsonl" and lines(both) == [row]


def test_line_ends_do_not_make_rows_differ_but_their_text_does(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": 1}\r\n{"id": 2}\r\n')
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"id": 1}\n{"id":2}')
    *_, both = _combination([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")], tmp_path / "out").run()
    assert Path(both).read_bytes() == b'{"id": 1}\n'


def test_an_empty_intersection_is_not_written(pool, tmp_path: Path) -> None:
    paths = _combination([pool("a.jsonl", _rows(1)), pool("b.jsonl", _rows(2))], tmp_path / "out").run()
    assert [Path(path).name for path in paths] == ["default_prefix_top_0_num_1.jsonl", "default_prefix_top_1_num_1.jsonl"]


def test_one_path_in_a_plain_string_is_one_pool(pool, ids, tmp_path: Path) -> None:
    [path] = _combination(pool("solo.jsonl", _rows(3, 1, 3)), tmp_path / "out").run()
    assert Path(path).name == "solo_top_0_num_3.jsonl" and ids(path) == [3, 1, 3]


def test_the_result_does_not_depend_on_the_hash_seed(pool, tmp_path: Path) -> None:
    chance = random.Random(3)
    sources = [pool(f"{name}.jsonl", [{"id": n, "t": f"word {n}"} for n in chance.sample(range(99), 60)]) for name in "abc"]
    program = (
        "import sys; from djsandbox_pools.combination import DataPoolCombination as C;"
        "C(C.Config(dataset_path=sys.argv[2:], export_path=sys.argv[1])).run()"
    )
    written = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", program, str(tmp_path / seed), *sources]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        written.append({path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()})
    assert written[0] == written[1] and len(written[0]) == 7


def test_an_empty_pool_is_named(pool, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"empty\.jsonl has no rows"):
        _combination([pool("a.jsonl", _rows(1)), pool("empty.jsonl", [])], tmp_path / "out").run()


def test_more_pools_than_anybody_combines_are_refused_while_planning_and_at_run(pool, tmp_path: Path) -> None:
    component = _combination([pool("a.jsonl", _rows(1))] * 17, tmp_path / "out")
    [finding] = component.check()
    assert "17 pools" in finding.message and "top_n" in str(finding.fix)
    with pytest.raises(ComponentError, match="17 pools"):
        component.run()
