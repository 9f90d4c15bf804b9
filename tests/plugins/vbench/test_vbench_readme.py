"""The page of the plugin: its first run runs as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from djsandbox_vbench.evaluator import VBenchVideoEvaluator
from djsandbox_vbench.testing.failing import FAILURES

README = (Path(__file__).resolve().parents[3] / "plugins/vbench/README.md").read_text()


@pytest.mark.slow
def test_its_dry_run_runs_and_writes_to_a_folder_of_its_own(tmp_path: Path) -> None:
    (config,) = re.findall(r"^```yaml\n# sandbox\.yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "sandbox.yaml").write_text(config)
    (command,) = re.findall(r"^djsandbox run .*djsandbox_vbench\.testing.*$", README, re.MULTILINE)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dry-run", "sandbox.yaml"]
    (job,) = json.loads((tmp_path / "dry-run/run/context_infos.json").read_text())["anonymous"]
    merged = json.loads((tmp_path / "dry-run/results/vbench_evaluator_merged_results.json").read_text())
    assert job["mean"] == merged["mean_score"]


def test_it_has_every_key_and_every_way_to_fail() -> None:
    named = set(re.findall(r"`([\w-]+)`", README))
    assert set(VBenchVideoEvaluator.Config.model_fields) <= named
    assert set(FAILURES) <= named
