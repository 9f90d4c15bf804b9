"""What the tests of inception metrics share: small videos, a folder to evaluate in, and detectors made with torch."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import djsandbox
import numpy as np
import pytest

HERE = Path(__file__).parent
SIZE = (48, 64)

MakeVideo = Callable[..., str]


def make_video(path: Path, colours: Sequence[Sequence[int]], *, suffix_codec: str = "ffv1") -> str:
    """A video of one frame of each colour; losslessly encoded, in RGB, unless asked otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(suffix_codec, rate=8)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "bgr0" if suffix_codec == "ffv1" else "yuv420p"
        for colour in colours:
            picture = np.empty((*SIZE, 3), dtype=np.uint8)
            picture[:] = colour
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return str(path)


def write_rows(path: Path, rows: Sequence[Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


@dataclass
class Studio:
    """A folder, which is the working directory, with two datasets of videos: `fake.jsonl` and `real.jsonl`."""

    folder: Path

    def dataset(self, name: str, videos: Sequence[Sequence[Sequence[int]]]) -> str:
        """Make a dataset of videos, a row each, with paths relative to the working directory."""
        rows = []
        for at, colours in enumerate(videos):
            make_video(self.folder / name / f"{at}.mkv", colours)
            rows.append({"text": f"video {at}", "videos": [f"{name}/{at}.mkv"]})
        return write_rows(self.folder / f"{name}.jsonl", rows)

    def config(self, **changes: Any) -> Path:
        """Write `sandbox.yaml` with one evaluation; None takes a key away."""
        extra = {
            "type": "video_inception_evaluator",
            "fake_data_path": "fake.jsonl",
            "real_data_path": "real.jsonl",
            "height": SIZE[0],
            "width": SIZE[1],
            "detector_path": "detectors",
            "result_path": "out/results.jsonl",
            **changes,
        }
        job = {
            "hook": "EvaluateDataHook",
            "meta_name": "inception",
            "output": ["evaluation"],
            "extra_configs": {key: value for key, value in extra.items() if value is not None},
        }
        path = self.folder / "sandbox.yaml"
        path.write_text(json.dumps({"project_name": "studio", "evaluation_job_configs": [job]}, indent=1))
        return path

    def validate(self, **changes: Any) -> Any:
        self.config(**changes)
        return djsandbox.validate("sandbox.yaml")

    def run(self, resume: bool = False, **changes: Any) -> dict[str, Any]:
        """Run one evaluation in the environment that DJSANDBOX_TORCH_ENV names; its output."""
        environment = {"env_manager": "existing", "env_params": {"path": os.environ["DJSANDBOX_TORCH_ENV"]}}
        self.config(**{"device": "cpu", **environment, **changes})
        djsandbox.run("sandbox.yaml", resume=resume)
        (context,) = self.folder.glob("outputs/**/context_infos.json")
        evaluation: dict[str, Any] = json.loads(context.read_text())["anonymous"][0]["evaluation"]
        return evaluation

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "out" / "results.jsonl").read_text().splitlines()]

    def logs(self) -> str:
        return "\n".join(log.read_text() for log in sorted(self.folder.glob("outputs/**/*.log")))


def colours_of(seed: int, count: int, frames: int, *, brightness: int = 120) -> list[list[list[int]]]:
    """Random colours of `count` videos of `frames` frames, which drift a little from frame to frame."""
    random = np.random.default_rng(seed)
    first = random.integers(brightness - 60, brightness + 60, size=(count, 1, 3))
    drift = random.integers(-3, 4, size=(count, frames, 3)).cumsum(axis=1)
    return (first + drift).clip(0, 255).tolist()


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJSANDBOX_DETECTORS", str(tmp_path / "detectors-cache"))
    return Studio(tmp_path)


@pytest.fixture(scope="session")
def torch_python(torch_env: Path) -> Path:
    """The interpreter of the environment with torch."""
    return torch_env / "bin" / "python"


@pytest.fixture(scope="session")
def detectors(torch_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small detectors under the names of the published ones."""
    folder = tmp_path_factory.mktemp("detectors")
    subprocess.run([str(torch_python), str(HERE / "make_detectors.py"), str(folder)], check=True)
    return folder


@pytest.fixture
def lab(studio: Studio, detectors: Path) -> Studio:
    """A studio with detectors in `detectors/` and two datasets, of 6 and 5 videos of 20 frames."""
    (studio.folder / "detectors").symlink_to(detectors)
    studio.dataset("fake", colours_of(1, 6, 20, brightness=150))
    studio.dataset("real", colours_of(2, 5, 20))
    return studio


@pytest.fixture(name="make_video")
def _make_video() -> MakeVideo:
    """`make_video(path, colours)`: a video of one frame of each colour."""
    return make_video


@pytest.fixture(name="colours_of")
def _colours_of() -> Callable[..., list[list[list[int]]]]:
    """`colours_of(seed, count, frames)`: random colours of videos."""
    return colours_of


@pytest.fixture
def rows() -> Callable[[str, Sequence[Any]], str]:
    """`rows(path, rows)` writes JSON lines."""
    return lambda path, given: write_rows(Path(path), given)
