from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox_easyanimate.conversion import DJToEasyAnimateVideoConversion
from djsandbox_easyanimate.testing import FAULT, StandIn, make_stand_in

PEER = Path(__file__).parent / "peer"


@dataclass
class Place:
    """A current directory with the stand-in of EasyAnimate in it, and configs of jobs that use it."""

    folder: Path
    tool: StandIn

    def metadata(self, rows: int = 24, name: str = "data.json") -> str:
        """The stand-in's videos, converted."""
        source = self.folder / "source.jsonl"
        source.write_text("".join(self.tool.dataset.read_text().splitlines(keepends=True)[:rows]))
        config = DJToEasyAnimateVideoConversion.Config(dataset_path=str(source), export_path=str(self.folder))
        os.replace(str(DJToEasyAnimateVideoConversion(config).run()), self.folder / name)
        return name

    def common(self, version: str, fault: str = "") -> dict[str, Any]:
        variables = {"variables": {FAULT: fault}} if fault else {}
        return {
            "type": "easyanimate",
            "env_manager": "existing",
            "env_params": {"path": str(self.tool.env), **variables},
            "easyanimate_home": str(self.tool.legacy if version == "legacy" else self.tool.home),
            "paths_from": "here",
        }

    def training(self, version: str = "current", fault: str = "", **changed: Any) -> dict[str, Any]:
        """`extra_configs` of a training; `changed` are keys of training_config."""
        model: dict[str, Any] = {"pretrained_model_name_or_path": str(self.tool.model)}
        if version == "legacy":
            model["transformer_path"] = str(self.tool.transformer)
        how = {"batch_size_per_gpu": 4, "gpu_num": 1, **changed}
        return {
            **self.common(version, fault),
            "train": {
                "model_path": model,
                "dataset_path": {"dataset_meta_name": "data.json"},
                "training_config": how,
                "saving_config": {"output_dir": "out/models"},
            },
        }

    def inference(self, version: str = "current", fault: str = "", **changed: Any) -> dict[str, Any]:
        """`extra_configs` of an inference; `changed` are keys of infer_config."""
        job = self.training(version, fault)
        job["train"] = {
            "model_path": {**job["train"]["model_path"], "lora_path": str(self.tool.transformer)},
            "infer_config": {"prompt_info_path": str(self.tool.prompts), "video_num_per_prompt": 2, **changed},
            "saving_config": {"output_video_dir": "out/videos"},
        }
        return job

    def config(self, hook: str, extra: dict[str, Any], **top: Any) -> str:
        """A sandbox config with the one job `job`."""
        job = {"hook": hook, "meta_name": "job", "output": ["result"], "extra_configs": extra}
        path = self.folder / "sandbox.yaml"
        data = {"project_name": "test", "work_dir": "work", "execution_job_configs": [job], **top}
        path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
        return path.name


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Place(tmp_path, make_stand_in(tmp_path / "tool"))


@pytest.fixture
def peer(place: Place) -> Callable[[], Place]:
    """The existing sandbox's own files, and what they name, in the current directory."""

    def lay_out() -> Place:
        shutil.copytree(PEER / "configs", "configs")
        for path in Path("configs/easyanimate_text_to_video").glob("*.yaml"):
            path.write_bytes(path.read_bytes().replace(b"/PATH/TO/EASYANIMATE_MODEL", str(place.tool.transformer).encode()))
        home = Path("thirdparty/models/EasyAnimate")
        home.parent.mkdir(parents=True)
        home.symlink_to(place.tool.legacy)
        prompts = Path("thirdparty/mm_eval/vbench_metrics/VBench_mini_info.json")
        prompts.parent.mkdir(parents=True)
        shutil.copy(place.tool.prompts, prompts)
        videos = Path("configs/tests/ops/data")
        videos.mkdir(parents=True)
        for number in (1, 2, 3):
            of_20_seconds_and_more = place.tool.dataset.parent / "videos" / f"{10 + number}.mp4"
            shutil.copy(of_20_seconds_and_more, videos / f"video{number}.mp4")
        model = home / "PixArt-alpha/PixArt-XL-2-512x512"
        model.parent.mkdir()
        model.symlink_to(place.tool.model)
        return place

    return lay_out


@pytest.fixture
def rows_of() -> Callable[[str], list[dict[str, Any]]]:
    return lambda path: json.loads(Path(path).read_text(encoding="utf-8"))
