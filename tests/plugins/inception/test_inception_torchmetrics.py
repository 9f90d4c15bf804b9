"""Our values beside those of torchmetrics, for the same features."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import djsandbox_inception
import pytest

pytestmark = pytest.mark.slow


def test_frechet_distance_kernel_distance_and_inception_score_are_those_of_torchmetrics(torch_python: Path) -> None:
    script = Path(__file__).with_name("compare_with_torchmetrics.py")
    worker = Path(djsandbox_inception.__file__).parent / "worker"
    done = subprocess.run([str(torch_python), str(script), str(worker)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pairs = json.loads(done.stdout)
    assert pairs["frechet"][0] > 1 and pairs["score"][0] > 1
    for ours, theirs in pairs.values():
        assert ours == pytest.approx(theirs, rel=1e-4)
