"""The existing sandbox's own config, byte for byte, validated and run with the stand-in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox_vbench.testing.__main__ import make_videos

Lab = Any

SANDBOX = """
project_name: lab
evaluation_job_configs:
  - hook: 'EvaluateDataHook'
    meta_name: 'vbench_eval'
    dj_configs:
    extra_configs: './configs/easyanimate_text_to_video/vbench_eval.yaml'
"""


@pytest.fixture
def sandbox(lab: Lab, peer: Path) -> Lab:
    """A folder laid out as the existing sandbox's repository, after its model has made the videos."""
    (lab.folder / "configs" / "easyanimate_text_to_video").mkdir(parents=True)
    (lab.folder / "thirdparty" / "mm_eval" / "vbench_metrics").mkdir(parents=True)
    shutil.copy(peer / "vbench_eval.yaml", lab.folder / "configs" / "easyanimate_text_to_video")
    shutil.copy(peer / "VBench_mini_info.json", lab.folder / "thirdparty" / "mm_eval" / "vbench_metrics")
    make_videos(lab.folder / "outputs" / "demo-bench" / "generated_videos", peer / "VBench_mini_info.json")
    (lab.folder / "sandbox.yaml").write_text(SANDBOX)
    return lab


def settings(lab: Lab) -> list[str]:
    place = "vbench_eval.extra_configs"
    return [f"{place}.env_manager=existing", f"{place}.env_params={{path: {lab.folder / 'env'}}}"]


def test_it_is_valid(sandbox: Lab) -> None:
    djsandbox.validate("sandbox.yaml", settings=settings(sandbox))


def test_it_runs_and_gives_the_mean_and_the_file_that_it_gave_there(sandbox: Lab) -> None:
    djsandbox.run("sandbox.yaml", settings=settings(sandbox))
    merged = sandbox.folder / "outputs" / "demo-bench" / "eval_results" / "mini_test_merged_results.json"
    content = json.loads(merged.read_text())
    assert set(content["detail"]) == {"subject_consistency", "dynamic_degree"}
    assert sandbox.outputs()["res_0"] == content["mean_score"] == pytest.approx(sum(content["detail"].values()) / 2)


def test_its_models_are_not_taken_from_a_cache_that_it_says_not_to_take_them_from(sandbox: Lab) -> None:
    djsandbox.run("sandbox.yaml", settings=settings(sandbox))
    assert "load_ckpt_from_local=None" in sandbox.logs()
    assert "Local Mode" not in sandbox.logs()
