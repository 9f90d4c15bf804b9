"""What needs torch to be proven: our values beside those of torchmetrics, and frames that are resized."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import djsandbox_inception
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(torch_python: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("compare_with_torchmetrics.py")
    worker = Path(djsandbox_inception.__file__).parent / "worker"
    done = subprocess.run([str(torch_python), str(script), str(worker)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pairs: dict[str, Any] = json.loads(done.stdout)
    return pairs


def test_frechet_distance_kernel_distance_and_inception_score_are_those_of_torchmetrics(found: dict[str, Any]) -> None:
    assert found["frechet"][0] > 1 and found["score"][0] > 1
    for name in ("frechet", "kernel", "score"):
        ours, theirs = found[name]
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_frames_are_resized_between_pixel_centres_without_smoothing_as_opencv_does(found: dict[str, Any]) -> None:
    # To a quarter: the mean of the inner two of four, halves up; with smoothing the first would be around 17.
    assert found["smaller"] == [[[13, 6, 0], [153, 76, 0]]]
    assert found["larger"] == [[[0, 0, 0], [25, 13, 0], [75, 38, 0], [100, 50, 0]]] * 2
