"""The configs of the existing sandbox for this experiment, as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import djsandbox
import pytest
from djsandbox_internvl.testing import StandIn, settings_for

PEER = Path(__file__).with_name("peer")
FOLDER = "configs/internvl_coco_caption"
SUMS = {
    "all_text_image_stats.yaml": "0ec799230d246256f6093cba07962b1c94d7e450dec02f1f0502ff9c5ace96d2",
    "internvl_eval_config.yaml": "dd198ed82dcbd98fa008740efd7fb79523ab58e1f7f21cf37cc25336b3a7718b",
    "internvl_train_config.yaml": "1d5776a83367e30c650de635eda0a9a8c728e49975dcbda1045a278b54d29191",
    "sandbox_internvl_coco_caption.yaml": "327a63d36ab32495b024f2631448f0342780267bd086ffd3105d3618d26dc564",
}


@pytest.fixture
def config(tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> str:
    """Their main config, with `<internvl_home>` replaced, in the place where its paths expect it."""
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in SUMS:
        text = (PEER / name).read_text(encoding="utf-8")
        (tmp_path / FOLDER / name).write_text(text.replace("<internvl_home>", str(stand_in.home)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return f"{FOLDER}/sandbox_internvl_coco_caption.yaml"


@pytest.mark.parametrize("name", SUMS)
def test_their_files_are_kept_byte_for_byte(name: str) -> None:
    assert hashlib.sha256((PEER / name).read_bytes()).hexdigest() == SUMS[name]


def test_their_configs_are_valid_but_for_what_this_machine_lacks(config: str) -> None:
    pytest.importorskip("djsandbox_datajuicer")
    try:
        djsandbox.validate(config)
    except djsandbox.ConfigError as error:
        problems = [problem.message for problem in error.problems if problem.severity == "error"]
        assert all(" is to be made by conda" in one or "needs a GPU" in one or "needs java" in one or "needs nvcc" in one
                   for one in problems), problems  # fmt: skip


def test_their_configs_are_valid_with_the_stand_in(config: str, stand_in: StandIn) -> None:
    pytest.importorskip("djsandbox_datajuicer")
    djsandbox.validate(config, settings=settings_for(config, stand_in))


@pytest.mark.slow
def test_their_experiment_runs_on_the_stand_in(config: str, stand_in: StandIn, tmp_path: Path) -> None:
    pytest.importorskip("djsandbox_datajuicer")
    analysis = "single_op_exps.analysis_all_stats.dj_configs"
    light = [
        f"{analysis}.process=[{{words_num_filter: {{}}}}, {{special_characters_filter: {{}}}}]",  # theirs load models
        f"{analysis}.export_path={tmp_path / 'analyzed.jsonl'}",
        f"{analysis}.np=1",
    ]
    settings = [*settings_for(config, stand_in), *light]
    result = djsandbox.run(config, settings=settings)
    jobs = {job.get("meta_name"): job for pipeline in result.context.values() for job in pipeline}
    pools = jobs["construct_single_op_data_pools"]["single_op_data_pool_paths"]
    scores = jobs["single_op_exps_eval"]["single_op_exps_eval_results"]
    best = jobs["rank_single_op_data_pools"]["top3_single_op_data_pool_paths"]
    ranked = sorted(zip(scores, pools, strict=True), key=lambda pair: -pair[0]["avg_score"])
    assert best == [pool for _, pool in ranked[:3]]
    assert set(scores[0]) == {*["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "SPICE", "avg_score"]}
    models = jobs["scaling_op_exps_train_26B"]["scaling_op_exps_26B_trained_model_paths"]
    assert len(models) == 3 and all(Path(model).name.endswith("_meta_InternVL2-26B") for model in models)
    again = djsandbox.run(config, settings=settings)
    assert not again.executed
