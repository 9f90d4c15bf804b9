from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import DECIDED_AT_RUN, ConfigError, run, validate
from djsandbox_pools.downsampling import DataPoolDownsampling
from djsandbox_pools.duplication import DataPoolDuplication
from djsandbox_pools.merging import DataPoolMerging
from djsandbox_pools.mse import MSEEvaluator
from djsandbox_pools.ranking import DataPoolRanking

LATER = "<replaced_by_the_input>"


def _job(type_name: str, name: str, hook: str = "DataPoolManipulationHook", **settings: Any) -> dict[str, Any]:
    links = {f"extra_configs.{key[6:]}": settings.pop(key) for key in list(settings) if key.startswith("input_")}
    extra = {"type": type_name, **{key.removeprefix("extra_configs."): LATER for key in links}, **settings}
    return {"hook": hook, "meta_name": name, "input": links, "output": name, "extra_configs": extra}


def _write(folder: Path, jobs: list[dict[str, Any]]) -> Path:
    config = {"project_name": "pools", "work_dir": str(folder / "work"), "execution_job_configs": jobs}
    (folder / "sandbox.yaml").write_text(yaml.safe_dump(config))
    return folder / "sandbox.yaml"


def test_pools_are_split_ranked_combined_aligned_and_merged_in_one_run(pool, ids, tmp_path: Path) -> None:
    source = pool("coco.jsonl", [{"id": n, "__dj__stats__": {"up": n, "zigzag": n * 7 % 30}} for n in range(30)])
    out = tmp_path / "out"
    metrics = [{"eval": {"score": score}} for score in (1, 3, 2, 0, 0, 5)]
    jobs = [
        _job("data_pool_construction", "pools", dataset_path=source, export_path=f"{out}/single", split_ratios=["1/3", "2/3"]),
        _job(
            "data_pool_ranking",
            "best",
            "GeneralProbeHook",
            input_dataset_path="-1.pools",
            metrics=metrics,
            ranking_keys=["eval.score"],
            top_n=2,
        ),
        _job("data_pool_combination", "combined", input_dataset_path="-1.best", export_path=f"{out}/multiple"),
        _job("data_pool_downsampling", "aligned", input_dataset_path="-1.combined", export_path=f"{out}/multiple", seed=1),
        _job("data_pool_merging", "merged", input_dataset_path="-1.aligned", export_path=f"{out}/all.jsonl"),
    ]
    run(_write(tmp_path, jobs))
    outputs = json.loads((tmp_path / "work" / "context_infos.json").read_text())
    made = {name: value for job in outputs["anonymous"] for name, value in job.items() if name != "meta_name"}
    assert [Path(path).name for path in made["best"]] == ["coco_zigzag_2.jsonl", "coco_up_1.jsonl"]
    assert len(made["pools"]) == 6 and len(made["combined"]) == len(made["aligned"]) == 3
    shared = sorted(set(ids(made["best"][0])) & set(ids(made["best"][1])))
    assert sorted(ids(made["combined"][2])) == sorted(ids(made["aligned"][2])) == shared
    assert sorted(ids(made["merged"][0])) == sorted(n for path in made["aligned"] for n in ids(path))


def test_what_a_config_says_wrong_about_pools_is_found_before_the_run(pool, tmp_path: Path) -> None:
    source = pool("a.jsonl", [{"id": 1}])
    jobs = [
        _job("data_pool_construction", "split", dataset_path=source, export_path="out", split_ratios=["2/3", "1/3"]),
        _job("data_pool_downsampling", "sample", dataset_path=source, export_path="out", seeds=1),
        _job("data_pool_ranking", "rank", "GeneralProbeHook", dataset_path=[source], metrics=[1, 2]),
    ]
    with pytest.raises(ConfigError) as caught:
        validate(_write(tmp_path, jobs))
    messages = [str(problem) for problem in caught.value.problems]
    assert len(messages) == 3 and all("sandbox.yaml:" in message for message in messages)
    for message, part in zip(messages, ("must ascend", "unknown key 'seeds'", "1 data pools but 2 metrics"), strict=True):
        assert part in message


def test_metrics_and_pools_that_only_the_run_knows_are_not_held_against_the_plan(pool, tmp_path: Path) -> None:
    source = pool("a.jsonl", [{"id": n, "__dj__stats__": {"s": n}} for n in range(6)])
    jobs = [
        _job("data_pool_construction", "pools", dataset_path=source, export_path=f"{tmp_path}/out"),
        _job("data_pool_ranking", "best", "GeneralProbeHook", input_dataset_path="-1.pools", metrics=[1, 2, 3]),
        _job(
            "data_pool_downsampling", "some", input_dataset_path="-1.best", export_path=f"{tmp_path}/out", target_num_samples=1
        ),
        _job("data_pool_merging", "merged", input_dataset_path="-1.some", export_path=f"{tmp_path}/out"),
    ]
    assert validate(_write(tmp_path, jobs)) == ()


@pytest.mark.parametrize("stand_in", [LATER, "<decided at run: -1.pools>"])
def test_no_path_is_planned_from_what_only_stands_in_for_one(stand_in: str) -> None:
    paths = {"dataset_path": [stand_in], "export_path": "out"}
    for component, settings in (
        (DataPoolDuplication, {"duplicating_times": 2}),
        (DataPoolDownsampling, {"target_num_samples": 2}),
        (DataPoolMerging, {}),
    ):
        assert component(component.Config(**paths, **settings)).planned_outputs() is DECIDED_AT_RUN
    named = DataPoolMerging.Config(dataset_path=stand_in, export_path="out/merged.jsonl")
    assert DataPoolMerging(named).planned_outputs() == ["out/merged.jsonl"]


def test_no_path_is_planned_from_a_config_of_which_a_part_is_unknown() -> None:
    config = DataPoolDuplication.Config.model_construct(
        dataset_path=["a.jsonl"], export_path="out", duplicating_times="<later>"
    )
    assert DataPoolDuplication(config).planned_outputs() is DECIDED_AT_RUN


def test_lists_of_unknown_length_are_not_compared() -> None:
    ranking = DataPoolRanking.Config(dataset_path=[LATER], metrics=[1, 2, 3])
    keys = {"predicted_value_key": "a", "ground_truth_value_key": "b"}
    mse = MSEEvaluator.Config(predicted_dataset_path=[LATER], ground_truth_dataset_path=["a", "b"], **keys)
    assert list(DataPoolRanking(ranking).check()) == list(MSEEvaluator(mse).check()) == []
