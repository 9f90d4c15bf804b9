"""What the tests of the InternVL plugin share: a stand-in of InternVL, and sandbox configs that use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox_internvl.testing import StandIn, make_stand_in

TYPE = "internvl_coco_caption"


@pytest.fixture(scope="session", autouse=True)
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Environments that tests make are the tests' own; what one has made, the next finds."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("DJSANDBOX_ENVS", str(tmp_path_factory.mktemp("environments")))
        yield


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    """A checkout and an environment that look like InternVL's."""
    return make_stand_in(tmp_path / "stand-in")


@pytest.fixture
def chat(stand_in: StandIn) -> Path:
    """The folder in which InternVL's programs run."""
    return stand_in.home / "internvl_chat"


@pytest.fixture
def uses(stand_in: StandIn) -> Callable[..., dict[str, Any]]:
    """The keys by which a job uses the stand-in; `mode` is how it fails."""

    def keys(mode: str | None = None) -> dict[str, Any]:
        params: dict[str, Any] = {"path": str(stand_in.environment)}
        if mode is not None:
            params["variables"] = {"DJSANDBOX_STANDIN": mode}
        return {"internvl_home": str(stand_in.home), "env_manager": "existing", "env_params": params}

    return keys


@pytest.fixture
def captions(tmp_path: Path, chat: Path) -> Callable[..., str]:
    """Writes a data pool whose rows have these captions, and its meta file; returns the meta file."""

    def write(name: str, texts: Sequence[str]) -> str:
        image = min(path.name for path in (chat / "data/coco/train2014").iterdir())
        rows = [
            {
                "image": f"train2014/{image}",
                "conversations": [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": text}],
            }
            for text in texts
        ]
        pool = tmp_path / "pools" / f"{name}.jsonl"
        pool.parent.mkdir(exist_ok=True)
        pool.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        meta = {"root": "data/coco/", "annotation": str(pool), "data_augment": False, "repeat_time": 1, "length": len(rows)}
        path = tmp_path / "pools" / f"{name}_meta.json"
        path.write_text(json.dumps({name: meta}), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def training(tmp_path: Path, chat: Path, uses: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The extra_configs of a training with 4 samples a step; `mode` is how it fails, further keys are set or changed."""

    def keys(meta_paths: Sequence[str], mode: str | None = None, **changes: Any) -> dict[str, Any]:
        own = {
            "type": TYPE,
            "meta_paths": list(meta_paths),
            "model_name_or_path": str(chat / "pretrained/InternVL2-1B"),
            "conv_style_or_scale": "1B",
            "work_dir": str(tmp_path / "models"),
            "num_gpus": 1,
            "batch_size_per_device": 4,
            "global_batch_size": 4,
        }
        return {**own, **uses(mode), **changes}

    return keys


@pytest.fixture
def sandbox(tmp_path: Path) -> Callable[..., Path]:
    """Writes a sandbox config of these jobs; returns its path."""

    def write(*jobs: Mapping[str, Any], **keys: Any) -> Path:
        config = {"project_name": "internvl", "work_dir": str(tmp_path / "work"), **keys, "execution_job_configs": list(jobs)}
        path = tmp_path / "sandbox.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def train_job(training: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A job that trains; as `training`."""

    def job(meta_paths: Sequence[str], mode: str | None = None, **changes: Any) -> dict[str, Any]:
        keys = training(meta_paths, mode, **changes)
        return {"hook": "TrainModelHook", "meta_name": "train", "output": "models", "extra_configs": keys}

    return job


@pytest.fixture
def evaluate_job(uses: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A job that evaluates what `train` made, or `ckpt_paths`; `mode` is how it fails."""

    def job(mode: str | None = None, ckpt_paths: Sequence[str] | None = None, **changes: Any) -> dict[str, Any]:
        links = {} if ckpt_paths else {"extra_configs.ckpt_paths": "-1.models"}
        keys = {"type": TYPE, "ckpt_paths": list(ckpt_paths or ["<given>"]), "num_gpus": 1, **uses(mode), **changes}
        return {"hook": "EvaluateModelHook", "meta_name": "evaluate", "input": links, "output": "scores", "extra_configs": keys}

    return job
