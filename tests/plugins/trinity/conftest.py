"""What the tests of the Trinity plugin share: a stand-in, a sandbox config that uses it, and ways to run that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import SandboxWatcher, run, validate
from djsandbox_trinity.testing import StandIn, make

PACE = "0.01"


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """A stand-in for Trinity and Ray."""
    return make(tmp_path_factory.mktemp("stand in"))  # a space, as folders may have one


@pytest.fixture
def no_head_is_left(stand_in: StandIn) -> Iterator[None]:
    """Nothing of the Ray of a test lives on."""
    yield
    left = subprocess.run(["pgrep", "-f", f"{stand_in.env}/bin/.*ray start"], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def write_pool(path: Path, count: int = 8, *, right: int | None = None) -> Path:
    """Sums, JSON lines; `right` of them have a right answer, by default all."""
    rows = [{"question": f"{n} + 1", "answer": str(n + 1 if right is None or n < right else -1)} for n in range(count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@dataclass
class Sandbox:
    """A folder with a sandbox config of a single training, which `extra` and the Trinity config change."""

    folder: Path
    stand_in: StandIn
    extra: dict[str, Any] = field(default_factory=dict)
    trinity: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / "sandbox.yaml"

    def write(self, *, failure: str = "", **extra: Any) -> Path:
        """Write the configs; `failure` is the way in which the stand-in fails."""
        trinity_config = self.folder / "trinity.yaml"
        trinity_config.write_text(yaml.safe_dump(self.trinity), encoding="utf-8")
        variables = {"DJSANDBOX_STANDIN": failure, "DJSANDBOX_STANDIN_PACE": PACE}
        block = {
            "type": "trinity-rft",
            "env_manager": "existing",
            "env_params": {"path": str(self.stand_in.env), "variables": variables},
            "trinity_config_path": str(trinity_config),
            "model_path": str(self.stand_in.model),
            "start_ray": True,
            **self.extra,
            **extra,
        }
        block = {key: value for key, value in block.items() if value is not ...}
        job = {"hook": "TrainModelHook", "meta_name": "rft", "output": "models", "extra_configs": block}
        config = {"project_name": "t", "work_dir": str(self.folder / "work"), "execution_job_configs": [job]}
        self.path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return self.path

    def run(self, *, failure: str = "", resume: bool = False, **extra: Any) -> Any:
        """Run it; the output of the training."""
        result = run(self.write(failure=failure, **extra), resume=resume)
        return result.context_infos["anonymous"][0]["models"] if hasattr(result, "context_infos") else self.models()

    def models(self) -> Any:
        """The output of the training of the last run."""
        infos = json.loads((self.folder / "work" / "context_infos.json").read_text(encoding="utf-8"))
        return infos["anonymous"][0]["models"]

    def problems(self, **extra: Any) -> list[Any]:
        """What `validate` finds, errors and warnings."""
        from djsandbox import ConfigError

        try:
            return list(validate(self.write(**extra)))
        except ConfigError as error:
            return list(error.problems)

    def metric(self, name: str) -> Any:
        """The last value of a metric."""
        return SandboxWatcher(self.folder / "work").query(name)

    def log(self) -> str:
        """The logs of all tries of all tasks."""
        logs = sorted((self.folder / "work" / "logs").rglob("*.log"))
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)

    def journalled_metrics(self) -> list[Mapping[str, Any]]:
        """All metrics, in their order."""
        lines = (self.folder / "work" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for line in lines if (event := json.loads(line)).get("kind") == "metric"]


@pytest.fixture
def sandbox(tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox in a folder of its own, with a taskset of eight sums."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    write_pool(tmp_path / "taskset" / "train.jsonl")
    trinity = {
        "mode": "both",
        "project": "sums",
        "name": "grpo",
        "buffer": {"total_steps": 4, "batch_size": 2, "explorer_input": {"taskset": {"path": str(tmp_path / "taskset")}}},
    }
    return Sandbox(tmp_path, stand_in, trinity=trinity)


@pytest.fixture
def program(stand_in: StandIn) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program of the stand-in."""

    def call(name: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        argv = [str(stand_in.env / "bin" / name), *map(str, arguments)]
        env = {**os.environ, "DJSANDBOX_STANDIN_PACE": PACE, **variables}
        return subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=60)

    return call


@pytest.fixture
def head(stand_in: StandIn) -> Iterator[str]:
    """The address of a Ray head that somebody else has started, and that has to live on."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = str(stand_in.env / "bin" / "ray")
    subprocess.run([ray, "start", "--head", "--port", str(port)], check=True, capture_output=True)
    pid = int((stand_in.env / "heads" / str(port)).read_text())
    yield f"127.0.0.1:{port}"
    assert Path(f"/proc/{pid}").exists() or sys.platform != "linux", "somebody has ended a Ray that was not theirs"
    os.kill(pid, 9)
    (stand_in.env / "heads" / str(port)).unlink()
